import { existsSync } from 'node:fs';
import { ACTIONS, PRIMARY_ACTION } from '../../domain/call.ts';
import { parseAgentId } from '../../domain/principal.ts';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { normalizeResourceId } from '../../domain/resource-id.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { principalSubjects } from '../../policy/authorize.ts';
import { assumedTarget } from '../../policy/conditions/condition.ts';
import { type ExplainRequest, type Explanation, explain } from '../../policy/explain.ts';
import { checkPolicy } from '../../policy/lint/check.ts';
import { runSuite, type SuiteResult } from '../../policy/suite.ts';
import { type Registry, readRegistry } from '../../registry/load.ts';
import type { Pins } from '../../registry/pins/pin.ts';
import { pinnedId, readPinKey } from '../../registry/pins/pinned-kind.ts';
import { loadStoredPins } from '../../registry/pins/stored-pins.ts';
import { databasePathOf } from '../../storage/data-directory.ts';
import { openSqliteForReading } from '../../storage/sqlite-file.ts';
import { MIGRATIONS } from '../migrations.ts';
import { loadPolicyBundle, type PolicyBundle, readPolicyTexts } from '../runtime/policy-bundle.ts';
import { type RegistryFacts, registryFacts } from '../runtime/registry-facts.ts';
import type { Settings } from '../settings.ts';
import { systemClock } from '../system.ts';

/** An access request. Without `args` it covers all arguments. */
export interface AccessQuery {
  /** `agent:<name>`. */
  readonly as: string;
  readonly action: string;
  readonly object: string;
  readonly args?: JsonObject;
}

/** Registry and policy files, and every pin. */
export interface PolicyFiles {
  readonly rules: PolicyBundle;
  readonly known: RegistryFacts;
  readonly registry: Registry;
  /** Pins of the lock, and those that `pin: auto` made. */
  readonly pins: { readonly lock: Pins; readonly auto: Pins };
  /** By id, such as `tool:<server>/<tool>`. */
  readonly pinned: ReadonlySet<string>;
}

/** Reads registry and policies. @throws ProblemError with every problem of the first of the two that does not load. */
export function readPolicyFiles(settings: Settings): PolicyFiles {
  const { registry, lock } = readRegistry(settings.registry);
  const auto = firstSeenPins(settings);
  const pins = [lock.pins, auto];
  return {
    pins: { lock: lock.pins, auto },
    rules: loadPolicyBundle(readPolicyTexts(settings.policies), settings.policies),
    known: registryFacts(registry, pins),
    registry,
    pinned: new Set(
      pins.flatMap((each) =>
        [...each].flatMap(([server, keys]) => [...keys.keys()].map((key) => pinnedId(server, readPinKey(key)))),
      ),
    ),
  };
}

/** Pins that `pin: auto` made; none if no broker has run. */
function firstSeenPins({ data }: Settings): Pins {
  const path = databasePathOf(data);
  if (!existsSync(path)) return new Map();
  const database = openSqliteForReading(path, MIGRATIONS);
  try {
    return loadStoredPins(database);
  } finally {
    database.close();
  }
}

/** Warnings of the policy files. @throws ProblemError with their errors. */
export function checkPolicyFiles(settings: Settings): readonly Problem[] {
  return policyWarnings(readPolicyFiles(settings), settings);
}

/** Warnings of files that were read. */
export function policyWarnings({ rules, known }: PolicyFiles, { policies }: Settings): readonly Problem[] {
  const file = `${policies}/policy.csv`;
  return rules.policySet.rows.length === 0 ? [emptyPolicy(file)] : checkPolicy(rules.policySet, known, file);
}

/** Runs the policy tests. @throws ProblemError when a file does not load. */
export function runPolicyTests(settings: Settings): SuiteResult {
  const { rules, known } = readPolicyFiles(settings);
  return runSuite(rules.policySet, rules.suites, { ...known, nowMs: systemClock.wallMs() });
}

/** Explains a decision. @throws ProblemError when a file does not load, or agent, action or target is invalid. */
export function explainAccess(settings: Settings, query: AccessQuery): AccessExplanation {
  const { rules, known } = readPolicyFiles(settings);
  const { object, action } = query;
  const principal = known.principalOf(query.as);
  const problems: Problem[] = [];
  if (!principal) problems.push(unknownAgent(query.as, known));
  if (!ACTIONS.some((known) => known === action)) {
    problems.push(invalidSetting('', `unknown action \`${action}\``, `write one of ${ACTIONS.join(', ')}`));
  }
  if (!/^(?:tool|resource|prompt|server|model|set):./.test(object)) problems.push(missingTargetKind(object));
  if (!principal || problems.length > 0) throw new ProblemError(problems);
  const normalized = normalizeResourceId(object);
  if (normalized === undefined) return { effect: 'deny', rows: [], note: NO_NORMAL_FORM };
  const explanation = explain(rules.policySet, {
    ...accessRequestFor(rules, known, { principal, agent: parseAgentId(query.as), object: normalized, action }),
    ...(query.args === undefined ? {} : { args: query.args }),
  });
  const note =
    normalized === object
      ? known.tools.includes(object)
        ? undefined
        : NOT_PINNED[object.slice(0, object.indexOf(':'))]
      : `decided as \`${normalized}\`, the normal form of the URI`;
  return note === undefined ? explanation : { ...explanation, note };
}

/** The access request of a declared agent over HTTP, without arguments. */
export function accessRequestFor(
  { policySet }: Pick<PolicyBundle, 'policySet'>,
  known: Pick<RegistryFacts, 'targetOf'>,
  about: {
    readonly principal: NonNullable<ReturnType<RegistryFacts['principalOf']>>;
    readonly agent: `agent:${string}`;
    readonly object: string;
    readonly action: string;
  },
): ExplainRequest {
  const { principal, agent, object, action } = about;
  const team = principal.team === undefined ? {} : { team: principal.team };
  return {
    subjects: principalSubjects(policySet, { id: agent, ...team }),
    object,
    action,
    nowMs: systemClock.wallMs(),
    principal: { ...principal, agent },
    target: known.targetOf(object) ?? assumedTarget(object),
    context: { transport: 'http', protocolVersion: '2026-07-28' },
  };
}

/** Explanation of the policy, with a note if something else prevents the call. */
export interface AccessExplanation extends Explanation {
  readonly note?: string;
}

const NO_NORMAL_FORM = 'the URI has no normal form: a call is refused as unknown-resource, whatever the policy says';

/** By kind. Only its server knows if a resource exists. */
const NOT_PINNED: Readonly<Record<string, string>> = {
  tool: 'no tool of this name is pinned or configured: a call is refused as unknown-tool, whatever the policy says',
  prompt: 'no prompt of this name is pinned: a call is refused as unknown-prompt, whatever the policy says',
};

/** The problem of an agent that the registry does not declare. */
export function unknownAgent(agent: string, known: Pick<RegistryFacts, 'agents'>): Problem {
  return invalidSetting('--as', `no agent is declared as \`${agent}\``, `write one of ${known.agents.join(', ')}`);
}

function missingTargetKind(object: string): Problem {
  const [, server, tool] = /^([a-z0-9-]+)__(.+)$/.exec(object) ?? [];
  const hint = server === undefined ? 'write an id such as `tool:files/read_file`' : `write \`tool:${server}/${tool}\``;
  return invalidSetting('', 'the target has no kind', hint);
}

function emptyPolicy(at: string): Problem {
  const hint = 'write a grant, or name the policy directory with `--policies`';
  return { code: 'policy-empty', at, message: 'no row grants anything: nothing is allowed', hint, severity: 'warning' };
}

function invalidSetting(at: string, message: string, hint: string): Problem {
  return { code: 'settings-invalid', at, message, hint };
}

/** Permission of an agent on one tool or prompt. */
export interface ToolPermission {
  /** `tool:<server>/<tool>` or `prompt:<server>/<prompt>`. */
  readonly tool: string;
  readonly effect: Explanation['effect'];
  /** Deciding rows, such as `policy.csv:12`: one, several if the arguments decide between them, or none if none matches. */
  readonly by: readonly string[];
  /** False if the tool has no pin: then it cannot be called, whatever the policy says. */
  readonly pinned: boolean;
}

/** Permissions of an agent. */
export interface AgentPermissions {
  /** `agent:<name>`. */
  readonly agent: string;
  readonly team: string | null;
  readonly roles: readonly string[];
  readonly tools: readonly ToolPermission[];
}

/**
 * Permissions of an agent on every pinned or configured tool and every pinned prompt, by the evaluator that decides its
 * calls. Without resources: no file lists the URIs of a resource template.
 * @throws ProblemError when a file does not load or the agent is not declared.
 */
export function listPermissions(settings: Settings, agent: string): AgentPermissions {
  return permissionsOf(readPolicyFiles(settings), parseAgentId(agent));
}

/** Permissions of an agent, from files that were read. @throws ProblemError when the agent is not declared. */
export function permissionsOf({ rules, known, pinned }: PolicyFiles, agent: `agent:${string}`): AgentPermissions {
  const principal = known.principalOf(agent);
  if (!principal) throw new ProblemError([unknownAgent(agent, known)]);
  const { policySet } = rules;
  const ids = known.tools.filter((id) => !id.startsWith('resource:')).sort();
  const tools = ids.map((tool): ToolPermission => {
    const action = PRIMARY_ACTION[tool.startsWith('prompt:') ? 'prompt' : 'tool'];
    const about = { principal, agent, object: tool, action };
    const explanation = explain(policySet, accessRequestFor(rules, known, about));
    return { tool, effect: explanation.effect, by: decidingRows(explanation), pinned: pinned.has(tool) };
  });
  const team = principal.team === undefined ? {} : { team: principal.team };
  const subjects = principalSubjects(policySet, { id: agent, ...team });
  return {
    agent,
    team: principal.team ?? null,
    roles: subjects.filter((subject) => subject.startsWith('role:')),
    tools,
  };
}

function decidingRows({ effect, rule, rows }: Explanation): readonly string[] {
  if (effect !== 'depends-on-arguments') return rule === undefined ? [] : [rule];
  // A condition that is known to be false decides nothing, whatever the arguments are.
  return rows.filter(({ conditionResult }) => conditionResult !== 'false').map(({ at }) => at);
}
