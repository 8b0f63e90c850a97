import { existsSync } from 'node:fs';
import { ACTIONS } from '../domain/call.ts';
import { type Problem, ProblemError } from '../domain/problem.ts';
import type { JsonObject } from '../lib/json.ts';
import { principalSubjects } from '../policy/authorize.ts';
import { checkPolicy } from '../policy/check.ts';
import { assumedTarget } from '../policy/condition-target.ts';
import { type Explanation, explain } from '../policy/explain.ts';
import { runSuite, type SuiteResult } from '../policy/suite.ts';
import type { Pins } from '../registry/pin.ts';
import { loadPins } from '../registry/pins-table.ts';
import { databasePathOf } from '../storage/data-directory.ts';
import { openSqliteForReading } from '../storage/sqlite-file.ts';
import { type KnownRegistry, knownOf, readRegistry } from './known-registry.ts';
import { MIGRATIONS } from './migrations.ts';
import { loadRules, type Rules, readRuleTexts } from './rules.ts';
import type { Settings } from './settings.ts';
import { systemClock } from './system.ts';

/** Who asks to do what to what. Without `args` the question is about all arguments. */
export interface Question {
  /** `agent:<name>`. */
  readonly as: string;
  readonly action: string;
  readonly object: string;
  readonly args?: JsonObject;
}

interface Standing {
  readonly rules: Rules;
  readonly known: KnownRegistry;
}

function standing(settings: Settings): Standing {
  const { registry, lock } = readRegistry(settings.registry);
  return {
    rules: loadRules(readRuleTexts(settings.policies), settings.policies),
    known: knownOf(registry, [lock.pins, firstSeenPins(settings)]),
  };
}

/** The tools that `pin: auto` accepted, where a broker has run; a checkout alone has none. */
function firstSeenPins({ data }: Settings): Pins {
  const path = databasePathOf(data);
  if (!existsSync(path)) return new Map();
  const database = openSqliteForReading(path, MIGRATIONS);
  try {
    return loadPins(database);
  } finally {
    database.close();
  }
}

/** Warnings of the policy files. @throws ProblemError with their errors. */
export function checkRules(settings: Settings): readonly Problem[] {
  const { rules, known } = standing(settings);
  const file = `${settings.policies}/policy.csv`;
  return rules.policySet.rows.length === 0 ? [emptyPolicy(file)] : checkPolicy(rules.policySet, known, file);
}

/** Runs the policy tests. @throws ProblemError when a file does not load. */
export function testRules(settings: Settings): SuiteResult {
  const { rules, known } = standing(settings);
  return runSuite(rules.policySet, rules.suites, { ...known, nowMs: systemClock.wallMs() });
}

/** Says what decides. @throws ProblemError when a file does not load, or the question names no agent or no action. */
export function explainCall(settings: Settings, question: Question): CallExplanation {
  const { rules, known } = standing(settings);
  const principal = known.principalOf(question.as);
  const problems: Problem[] = [];
  if (!principal)
    problems.push(
      wrong('--as', `no agent is declared as \`${question.as}\``, `write one of ${known.agents.join(', ')}`),
    );
  if (!ACTIONS.some((action) => action === question.action)) {
    problems.push(wrong('', `unknown action \`${question.action}\``, `write one of ${ACTIONS.join(', ')}`));
  }
  if (!/^(?:tool|resource|prompt|server|model|set):./.test(question.object)) problems.push(noTarget(question.object));
  if (!principal || problems.length > 0) throw new ProblemError(problems);
  const id: `agent:${string}` = `agent:${question.as.slice('agent:'.length)}`;
  const isUnknown = question.object.startsWith('tool:') && !known.tools.includes(question.object);
  const explanation = explain(rules.policySet, {
    subjects: principalSubjects(rules.policySet, {
      id,
      ...(principal.team === undefined ? {} : { team: principal.team }),
    }),
    object: question.object,
    action: question.action,
    nowMs: systemClock.wallMs(),
    principal: { ...principal, agent: question.as },
    target: known.targetOf(question.object) ?? assumedTarget(question.object),
    context: { transport: 'http', protocolVersion: '2026-07-28' },
    ...(question.args === undefined ? {} : { args: question.args }),
  });
  return isUnknown ? { ...explanation, note: NOT_PINNED } : explanation;
}

/** What the policy says, and what else keeps a call from being made. */
export interface CallExplanation extends Explanation {
  readonly note?: string;
}

const NOT_PINNED =
  'no tool of this name is pinned or described: whatever the policy says, a call is answered as unknown-tool';

function noTarget(object: string): Problem {
  const [, server, tool] = /^([a-z0-9-]+)__(.+)$/.exec(object) ?? [];
  const hint = server === undefined ? 'write one such as `tool:files/read_file`' : `write \`tool:${server}/${tool}\``;
  return wrong('', 'the target has no kind', hint);
}

function emptyPolicy(at: string): Problem {
  const hint = 'write a grant, or name the directory with `--policies`';
  return { code: 'policy-empty', at, message: 'no row grants anything: nothing is allowed', hint, severity: 'warning' };
}

function wrong(at: string, message: string, hint: string): Problem {
  return { code: 'settings-invalid', at, message, hint };
}
