import type { Call } from '../domain/call.ts';
import type { Control } from '../domain/control.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import type { Principal } from '../domain/principal.ts';
import type { Target, UnknownTarget } from '../domain/target.ts';
import { allow, deny, type Verdict } from '../domain/verdict.ts';
import type { Clock } from '../lib/time.ts';
import type { ConditionPrincipal, ConditionResult, ConditionScope } from './conditions/condition.ts';
import { conditionTarget } from './conditions/condition.ts';
import type { PolicySet } from './policy-set.ts';

export const authorizeFailureMode: FailureMode<'policy-denied'> = {
  control: 'authorization',
  trigger: 'no grant matches, a `deny` row matches, or a condition is false or cannot be evaluated',
  result: 'policy-denied',
  override: 'a grant in `policies/policy.csv`',
};

export const unknownToolFailureMode: FailureMode<'unknown-tool'> = {
  control: 'resolving a name',
  trigger: 'no tool with that name is pinned and admitted, or the agent may never call it',
  result: 'unknown-tool',
  override: null,
};

export const unknownPromptFailureMode: FailureMode<'unknown-prompt'> = {
  control: 'resolving a prompt',
  trigger: 'no prompt with that name is pinned, or the agent may never use it',
  result: 'unknown-prompt',
  override: null,
};

export const unknownResourceFailureMode: FailureMode<'unknown-resource'> = {
  control: 'resolving a URI',
  trigger: 'not exactly one server lists it or has a pinned template for it, or the agent may never read it',
  result: 'unknown-resource',
  override: null,
};

/** The time, and the result of each condition that the decision may depend on. */
export type AuthorizeFacts = {
  /** Milliseconds since 1970, as conditions saw `now`. */
  readonly nowMs: number;
  readonly conditions: { readonly [conditionId: string]: ConditionResult };
};

const NO_CONDITIONS: AuthorizeFacts['conditions'] = Object.freeze({});

/** The control `authorize`. Facts hold the results of conditions, so a replay needs neither clock nor CEL. */
export function authorize(policySet: PolicySet, clock: Clock): Control<AuthorizeFacts> {
  return {
    name: 'authorize',
    gather({ call }) {
      const nowMs = clock.wallMs();
      return { conditions: gatherConditions(policySet, call, nowMs), nowMs };
    },
    decide: ({ call }, facts) => decideCall(policySet, call, facts),
  };
}

function gatherConditions(policySet: PolicySet, call: Call, nowMs: number): AuthorizeFacts['conditions'] {
  if (call.target.kind === 'unknown') return NO_CONDITIONS;
  const ids = policySet.conditionsFor({ subjects: call.subjects, object: call.target.id, action: call.action });
  if (ids.length === 0) return NO_CONDITIONS;
  const scope: ConditionScope = {
    args: call.args,
    context: call.context,
    nowMs,
    principal: conditionPrincipal(call.principal),
    target: conditionTarget(call.target),
  };
  const conditions: Record<string, ConditionResult> = {};
  for (const id of ids) conditions[id] = policySet.condition(id)?.evaluate(scope) ?? 'error';
  return conditions;
}

function decideCall(policySet: PolicySet, call: Call, facts: AuthorizeFacts): Verdict {
  const { target, action, subjects, principal } = call;
  if (target.kind === 'unknown') return denyUnknown(target);
  const { conditions } = facts;
  const decision = policySet.decide({ subjects, object: target.id, action }, (id) => conditions[id] ?? 'error');
  if (decision.allowed) return allow(decision.rule);
  const message =
    decision.rule === undefined
      ? `no grant lets ${principal.id} ${action} ${target.id} with these arguments`
      : `a rule forbids ${principal.id} to ${action} ${target.id} with these arguments`;
  return deny(authorizeFailureMode.result, message, decision.rule === undefined ? {} : { rule: decision.rule });
}

function denyUnknown({ id, exposedName }: UnknownTarget): Verdict {
  switch (id) {
    case 'tool:unknown':
      return deny(unknownToolFailureMode.result, `no tool \`${exposedName}\``);
    case 'prompt:unknown':
      return deny(unknownPromptFailureMode.result, `no prompt \`${exposedName}\``);
    case 'resource:unknown':
      return deny(unknownResourceFailureMode.result, `no resource \`${exposedName}\``);
  }
}

/** True when some arguments at some time could be allowed: the condition for showing a target to a principal. */
export function couldAllow(
  policySet: PolicySet,
  caller: { readonly principal: Principal; readonly subjects: readonly string[] },
  attempt: { readonly target: Target; readonly action: string },
): boolean {
  const { target, action } = attempt;
  if (target.kind === 'unknown') return false;
  const request = { subjects: caller.subjects, object: target.id, action };
  if (policySet.conditionsFor(request).length === 0) return policySet.couldAllow(request);
  const scope = {
    principal: conditionPrincipal(caller.principal),
    target: conditionTarget(target),
    ...(hasNoArguments(action) ? { args: {} } : {}),
  };
  return policySet.couldAllow(request, (id) => partiallyEvaluate(policySet, id, scope));
}

/** True for the actions on a resource, which have no arguments besides the URI. */
export function hasNoArguments(action: string): boolean {
  return action === 'read' || action === 'subscribe';
}

/** Evaluates a condition that reads nothing but `scope`; undefined when it reads anything else. */
export function partiallyEvaluate(
  policySet: PolicySet,
  conditionId: string,
  scope: Pick<ConditionScope, 'principal' | 'target'> & Partial<Pick<ConditionScope, 'args'>>,
): ConditionResult | undefined {
  const condition = policySet.condition(conditionId);
  if (condition === undefined) return 'error';
  for (const variable of condition.variables) if (!Object.hasOwn(scope, variable)) return undefined;
  return condition.evaluate({ args: {}, ...scope, nowMs: 0, context: { transport: 'http', protocolVersion: '' } });
}

/** The subjects of a principal: `agent:…`, its roles sorted, then `team:…`. */
export function principalSubjects(policySet: PolicySet, principal: Pick<Principal, 'id' | 'team'>): readonly string[] {
  const team = principal.team === undefined ? [] : [`team:${principal.team}`];
  return [principal.id, ...policySet.rolesOf(principal.id), ...team];
}

/** Principals as conditions see them, built once per principal. */
const conditionPrincipals = new WeakMap<Principal, ConditionPrincipal>();

function conditionPrincipal(principal: Principal): ConditionPrincipal {
  const known = conditionPrincipals.get(principal);
  if (known) return known;
  const { id, owner, team, costCenter, environment, proof } = principal;
  const created = Object.freeze({
    agent: id,
    owner,
    proof,
    ...(team === undefined ? {} : { team }),
    ...(costCenter === undefined ? {} : { costCenter }),
    ...(environment === undefined ? {} : { environment }),
  });
  conditionPrincipals.set(principal, created);
  return created;
}
