import { normalizeResourceId } from '../domain/normal-object.ts';
import type { Problem } from '../domain/problem.ts';
import { principalSubjects } from './authorize.ts';
import type { ConditionPrincipal, ConditionScope, ConditionTarget } from './condition.ts';
import { assumedTarget } from './condition-target.ts';
import { type Explanation, explain } from './explain.ts';
import type { PolicySet } from './policy-set.ts';
import type { PolicySuite, SuiteCase } from './suite-file.ts';

/** The world in which policy tests run. */
export interface SuiteContext {
  readonly nowMs: number;
  /** Default of the wire: `http` with the newest protocol revision. */
  readonly context?: ConditionScope['context'];
  /** The agent as the registry holds it; undefined where it does not. */
  principalOf(agent: string): Omit<ConditionPrincipal, 'agent'> | undefined;
  /** The target as the registry holds it; undefined where it does not. */
  targetOf(object: string): ConditionTarget | undefined;
}

/** How policy tests came out. */
export interface SuiteResult {
  readonly checked: number;
  /** Each expectation that does not hold, at its `file:line:column`. */
  readonly failures: readonly Problem[];
}

const DEFAULT_CONTEXT: ConditionScope['context'] = { transport: 'http', protocolVersion: '2026-07-28' };

/**
 * Runs policy tests. A URI is put into its normal form first, as it is before a call is decided on. An entry without `args` is about all arguments: `may` holds when every call is allowed, `may_not` when
 * none is.
 */
export function runSuite(policySet: PolicySet, suites: readonly PolicySuite[], context: SuiteContext): SuiteResult {
  const cases = suites.flatMap((suite) => suite.cases);
  const failures = cases.flatMap((each) => {
    const object = normalizeResourceId(each.object);
    // What cannot be asked for nobody may do.
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
    ...{ object: each.object, action: each.action, nowMs: context.nowMs, context: context.context ?? DEFAULT_CONTEXT },
    principal: { ...known, agent: each.as },
    target: context.targetOf(each.object) ?? assumedTarget(each.object),
    ...(each.args === undefined ? {} : { args: each.args }),
  });
}

function nonCanonicalObject({ at, as, action, object }: SuiteCase): Problem {
  const message = `\`${as} may ${action} ${object}\` does not hold: the URI has no normal form, so that it cannot be asked for`;
  const hint = 'write a URI without `..` behind escapes, control characters and userinfo';
  return { code: 'policy-test-failed', at, message, hint };
}

function describeFailure(each: SuiteCase, explanation: Explanation): Problem {
  const { effect, rule, rows } = explanation;
  const expected = `${each.as} ${each.expect === 'may' ? 'may' : 'may not'} ${each.action} ${each.object}`;
  const actual =
    effect === 'depends-on-arguments'
      ? `it depends on the arguments (${rows.map((row) => row.at).join(', ')})`
      : `it is ${effect === 'allow' ? 'allowed' : 'refused'} by ${rule ?? 'the lack of a grant'}`;
  const hint =
    effect === 'depends-on-arguments'
      ? `give arguments, as in \`{ ${each.action}: ${each.object}, args: { … } }\``
      : `run \`seneschal policy explain --as ${each.as} ${each.action} ${each.object}\``;
  return { code: 'policy-test-failed', at: each.at, message: `\`${expected}\` does not hold: ${actual}`, hint };
}
