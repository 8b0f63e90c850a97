import type { JsonObject } from '../lib/json/json.ts';
import { hasNoArguments } from './authorize.ts';
import type { ConditionResult, ConditionScope } from './conditions/condition.ts';
import { type AccessRequest, type PolicySet, ruleId } from './policy-set.ts';

/** An access request and the values that conditions can read. Without `args`, it is about all arguments. */
export interface ExplainRequest extends AccessRequest, Omit<ConditionScope, 'args'> {
  readonly args?: JsonObject;
}

/** One row that matches the request, apart from its condition. */
export interface ExplainedRow {
  /** `policy.csv:12`. */
  readonly at: string;
  /** The row as written. */
  readonly text: string;
  readonly effect: 'allow' | 'deny';
  /** Its condition, if it has one. */
  readonly when?: string;
  /** Result of the condition; absent when it depends on arguments that were not given. */
  readonly conditionResult?: ConditionResult;
}

/** The decision of the policy and the rows behind it. */
export interface Explanation {
  readonly effect: 'allow' | 'deny' | 'depends-on-arguments';
  /** The deciding row; absent when none matched and when arguments decide. */
  readonly rule?: string;
  /** Every row that matches apart from its condition, in file order. */
  readonly rows: readonly ExplainedRow[];
}

/** Explains a decision, by the same evaluator as lists and calls. */
export function explain(policySet: PolicySet, input: ExplainRequest): Explanation {
  const request = hasNoArguments(input.action) && input.args === undefined ? { ...input, args: {} } : input;
  const known = (id: string): ConditionResult | undefined => evaluateKnown(policySet, request, id);
  const rows = policySet.rowsFor(request).map((row): ExplainedRow => {
    const result = row.conditionId === '' ? undefined : known(row.conditionId);
    return {
      at: ruleId(row),
      text: row.text,
      effect: row.effect,
      ...(row.when === '' ? {} : { when: row.when }),
      ...(result === undefined ? {} : { conditionResult: result }),
    };
  });
  const couldBeAllowed = policySet.couldAllow(request, known);
  if (couldBeAllowed && !policySet.alwaysAllows(request, known)) return { effect: 'depends-on-arguments', rows };
  // All results of the unknown conditions agree. `false` names a row that needs none of them.
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
