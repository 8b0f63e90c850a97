import type { JsonObject } from '../lib/json/json.ts';
import { hasNoArguments } from './authorize.ts';
import type { ConditionResult, ConditionScope } from './conditions/condition.ts';
import { type AccessRequest, type PolicySet, ruleId } from './policy-set.ts';

/** A question, and what conditions may speak of. Without `args` it is about all arguments. */
export interface ExplainRequest extends AccessRequest, Omit<ConditionScope, 'args'> {
  readonly args?: JsonObject;
}

/** One row that speaks of the question. */
export interface ExplainedRow {
  /** `policy.csv:12`. */
  readonly at: string;
  /** The row as it is written. */
  readonly text: string;
  readonly effect: 'allow' | 'deny';
  /** Its condition, where it has one. */
  readonly when?: string;
  /** How the condition came out; absent where it depends on arguments that were not given. */
  readonly conditionResult?: ConditionResult;
}

/** What the policy says and why. */
export interface Explanation {
  readonly effect: 'allow' | 'deny' | 'depends-on-arguments';
  /** The row that decided; absent where none matched, and where arguments decide. */
  readonly rule?: string;
  /** Every row that matches but for its condition, in file order. */
  readonly rows: readonly ExplainedRow[];
}

/** Says what the policy decides, by the same evaluator as list and call, with every row that speaks of the question. */
export function explain(policySet: PolicySet, asked: ExplainRequest): Explanation {
  // Nothing is left open about arguments where there are none.
  const request = hasNoArguments(asked.action) && asked.args === undefined ? { ...asked, args: {} } : asked;
  const known = (id: string): ConditionResult | undefined => evaluateKnown(policySet, request, id);
  const rows = policySet.rowsFor(request).map((row): ExplainedRow => {
    const result = row.conditionId === '' ? undefined : known(row.conditionId);
    return {
      ...{ at: ruleId(row), text: row.text, effect: row.effect },
      ...(row.when === '' ? {} : { when: row.when }),
      ...(result === undefined ? {} : { conditionResult: result }),
    };
  });
  const couldBeAllowed = policySet.couldAllow(request, known);
  if (couldBeAllowed && !policySet.alwaysAllows(request, known)) return { effect: 'depends-on-arguments', rows };
  // All outcomes agree, so any will do to name the row: for a refusal the one in which the fewest denies match.
  const { rule } = policySet.decide(request, (id) => known(id) ?? 'false');
  return { effect: couldBeAllowed ? 'allow' : 'deny', ...(rule === undefined ? {} : { rule }), rows };
}

function evaluateKnown(policySet: PolicySet, request: ExplainRequest, id: string): ConditionResult | undefined {
  const condition = policySet.condition(id);
  if (condition === undefined) return 'error';
  if (request.args === undefined && condition.variables.has('args')) return undefined;
  const { nowMs, principal, target, context } = request;
  return condition.evaluate({ args: request.args ?? {}, nowMs, principal, target, context });
}
