import { z } from 'zod';
import { readYaml } from '../config/yaml-file.ts';
import { ACTIONS, type Action } from '../domain/call.ts';
import type { Problem } from '../domain/problem.ts';
import { normalizeResourceId } from '../domain/resource-id.ts';
import type { JsonObject, JsonValue } from '../lib/json/json.ts';
import { principalSubjects } from './authorize.ts';
import {
  assumedTarget,
  type ConditionPrincipal,
  type ConditionScope,
  type ConditionTarget,
} from './conditions/condition.ts';
import { type Explanation, explain } from './explain.ts';
import type { PolicySet } from './policy-set.ts';

/** The inputs of policy tests besides the policy. */
export interface SuiteContext {
  readonly nowMs: number;
  /** Connection of the calls. Default: `http` with the newest protocol version. */
  readonly context?: ConditionScope['context'];
  /** The agent in the registry; undefined when it is not declared. */
  principalOf(agent: string): Omit<ConditionPrincipal, 'agent'> | undefined;
  /** The target in the registry; undefined when it is not known. */
  targetOf(object: string): ConditionTarget | undefined;
}

/** The result of policy tests. */
export interface SuiteResult {
  readonly checked: number;
  /** Each failed expectation, at its `file:line:column`. */
  readonly failures: readonly Problem[];
}

const DEFAULT_CONTEXT: ConditionScope['context'] = { transport: 'http', protocolVersion: '2026-07-28' };

/**
 * Runs policy tests. Normalizes URIs first, as the pipeline does. An entry without `args` is about all arguments: `may`
 * holds when every call is allowed, `may_not` when none is.
 */
export function runSuite(policySet: PolicySet, suites: readonly PolicySuite[], context: SuiteContext): SuiteResult {
  const cases = suites.flatMap((suite) => suite.cases);
  const failures = cases.flatMap((each) => {
    const object = normalizeResourceId(each.object);
    // A URI without a normal form is always refused.
    if (object === undefined) return each.expect === 'may' ? [nonCanonicalObject(each)] : [];
    const normalized = { ...each, object };
    const explanation = explainCase(policySet, normalized, context);
    return explanation.effect === (each.expect === 'may' ? 'allow' : 'deny')
      ? []
      : [describeFailure(normalized, explanation)];
  });
  return { checked: cases.length, failures };
}

function explainCase(policySet: PolicySet, each: SuiteCase, context: SuiteContext): Explanation {
  const known = context.principalOf(each.as) ?? {};
  const id: `agent:${string}` = `agent:${each.as.slice('agent:'.length)}`;
  const team = known.team === undefined ? {} : { team: known.team };
  return explain(policySet, {
    subjects: principalSubjects(policySet, { id, ...team }),
    object: each.object,
    action: each.action,
    nowMs: context.nowMs,
    context: context.context ?? DEFAULT_CONTEXT,
    principal: { ...known, agent: each.as },
    target: context.targetOf(each.object) ?? assumedTarget(each.object),
    ...(each.args === undefined ? {} : { args: each.args }),
  });
}

function nonCanonicalObject({ at, as, action, object }: SuiteCase): Problem {
  const message = `\`${as} may ${action} ${object}\` does not hold: the URI has no normal form, so every request for it is refused`;
  const hint = 'write a URI without escaped `..`, control characters and userinfo';
  return { code: 'policy-test-failed', at, message, hint };
}

function describeFailure(each: SuiteCase, explanation: Explanation): Problem {
  const { effect, rule, rows } = explanation;
  const expected = `${each.as} ${each.expect === 'may' ? 'may' : 'may not'} ${each.action} ${each.object}`;
  const actual =
    effect === 'depends-on-arguments'
      ? `it depends on the arguments (${rows.map((row) => row.at).join(', ')})`
      : `it is ${effect === 'allow' ? 'allowed' : 'refused'} by ${rule ?? 'default, because no grant matches'}`;
  const hint =
    effect === 'depends-on-arguments'
      ? `give arguments, as in \`{ ${each.action}: ${each.object}, args: { … } }\``
      : `run \`seneschal policy explain --as ${each.as} ${each.action} ${each.object}\``;
  return { code: 'policy-test-failed', at: each.at, message: `\`${expected}\` does not hold: ${actual}`, hint };
}

/** One expectation of a policy test. */
export interface SuiteCase {
  /** `file:line:column` of the entry. */
  readonly at: string;
  /** `agent:<name>`. */
  readonly as: string;
  readonly expect: 'may' | 'may_not';
  readonly action: Action;
  readonly object: string;
  /** Arguments of the call. Default: the expectation is about all arguments. */
  readonly args?: JsonObject;
}

/** One file of `policies/tests/`. */
export interface PolicySuite {
  readonly file: string;
  readonly cases: readonly SuiteCase[];
}

const agentId = z.string().regex(/^agent:[A-Za-z0-9][A-Za-z0-9._@-]*$/, {
  error: 'not the id of an agent, such as `agent:demo`',
});
const objectId = z.string().regex(/^(tool|resource|prompt|server|model):[^\s*]+$/, {
  error: 'not the id of one tool, such as `tool:files/read_file`',
});
const sentenceEntry = z
  .string()
  .regex(new RegExp(`^(${ACTIONS.join('|')}) (tool|resource|prompt|server|model):[^\\s*]+$`), {
    error: 'not an action and an id, such as `call tool:files/read_file`',
  });
const jsonValue: z.ZodType<JsonValue> = z.lazy(() =>
  z.union([z.null(), z.boolean(), z.number(), z.string(), z.array(jsonValue), z.record(z.string(), jsonValue)]),
);
const args = z.record(z.string(), jsonValue).describe('Arguments of the call. Default: all arguments.');
const detailedEntry = z
  .strictObject({ ...actionKeys(), args: args.optional() })
  .refine((entry) => ACTIONS.filter((action) => entry[action] !== undefined).length === 1, {
    error: 'needs exactly one action, such as `call: tool:files/read_file`',
  });
const entries = (expectation: string): z.ZodOptional<z.ZodType<readonly (string | Detailed)[]>> =>
  z
    .array(z.union([sentenceEntry, detailedEntry]))
    .describe(`Calls that ${expectation}: \`<action> <id>\`, or a map of the action and \`args\`. Default: none.`)
    .optional();

/** The format of a file of `policies/tests/`. */
export const suiteSchema: z.ZodType<readonly SuiteGroup[]> = z.array(
  z.strictObject({
    as: agentId.describe('The calling agent, such as `agent:demo`.'),
    may: entries('must be allowed'),
    may_not: entries('must be refused'),
  }),
);

type Detailed = { readonly [action in Action]?: string | undefined } & { readonly args?: JsonObject | undefined };
type SuiteGroup = {
  readonly as: string;
  readonly may?: readonly (string | Detailed)[] | undefined;
  readonly may_not?: readonly (string | Detailed)[] | undefined;
};

function actionKeys(): { readonly [action in Action]: z.ZodOptional<z.ZodString> } {
  const id = objectId.describe('Id of the object of the action; each entry has one action. Default: none.').optional();
  return { call: id, read: id, get: id, complete: id, subscribe: id, elicit: id, sample: id, roots: id };
}

/**
 * Reads a file of policy tests.
 * @throws ProblemError with every problem found.
 */
export function readSuite(file: string, text: string): PolicySuite {
  const yaml = readYaml(file, text, suiteSchema);
  const cases: SuiteCase[] = [];
  yaml.value.forEach((group, groupIndex) => {
    for (const expect of ['may', 'may_not'] as const) {
      group[expect]?.forEach((entry, index) => {
        const location = { at: yaml.at([groupIndex, expect, index]), as: group.as, expect };
        cases.push(typeof entry === 'string' ? parseSentenceCase(location, entry) : parseDetailedCase(location, entry));
      });
    }
  });
  return { file, cases };
}

type CaseLocation = Pick<SuiteCase, 'at' | 'as' | 'expect'>;

function parseSentenceCase(location: CaseLocation, entry: string): SuiteCase {
  const separator = entry.indexOf(' ');
  const word = entry.slice(0, separator);
  return {
    ...location,
    action: ACTIONS.find((action) => action === word) ?? 'call',
    object: entry.slice(separator + 1),
  };
}

function parseDetailedCase(location: CaseLocation, entry: Detailed): SuiteCase {
  const action = ACTIONS.find((each) => entry[each] !== undefined) ?? 'call';
  return {
    ...location,
    action,
    object: entry[action] ?? '',
    ...(entry.args === undefined ? {} : { args: entry.args }),
  };
}
