import type { Control } from '../domain/control.ts';
import { requestState } from '../input-required/request-state.ts';
import type { Clock } from '../lib/time.ts';
import { budgetControl } from '../limits/budget/control.ts';
import type { BudgetState, SoftLimitWarning } from '../limits/budget/state.ts';
import type { ConcurrencyState } from '../limits/concurrency.ts';
import { concurrencyControl } from '../limits/concurrency.ts';
import type { RateState } from '../limits/rate.ts';
import { rateControl } from '../limits/rate.ts';
import { authorize } from '../policy/authorize.ts';
import { validateInput } from '../validation/input.ts';
import { guardInputRequest } from '../validation/input-requests/guard.ts';
import { validateInputResponse } from '../validation/input-requests/response.ts';
import type { SchemaCompiler } from '../validation/json-schema/compile.ts';
import { validateOutput } from '../validation/output.ts';
import type { PolicyBundle } from './runtime/policy-bundle.ts';

/** State that the controls read and change. It outlives every policy revision. */
export interface ControlState {
  readonly clock: Clock;
  readonly rates: RateState;
  readonly concurrency: ConcurrencyState;
  readonly budgets: BudgetState;
  readonly schemas: SchemaCompiler;
  readonly onSoftLimit: (warning: SoftLimitWarning) => void;
}

/** Controls of one policy revision, each list in the order in which its controls run. */
export interface ControlLists {
  readonly requestControls: readonly Control[];
  readonly responseControls: readonly Control[];
  /** For the next round of a suspended call: the request controls, and the check of its request state. */
  readonly resumedControls: readonly Control[];
  /** For the input request of a tool server, and for the response to it. */
  readonly inputRequestControls: readonly Control[];
  readonly inputResponseControls: readonly Control[];
}

/** Every control of all lists, each once. */
export function allControls({
  resumedControls,
  responseControls,
  inputRequestControls,
  inputResponseControls,
}: ControlLists): readonly Control[] {
  return [...new Set([...resumedControls, ...responseControls, ...inputRequestControls, ...inputResponseControls])];
}

/** Orders the controls: cheap before expensive, attributable before anonymous. Replay runs the same lists. */
export function controlLists(rules: Pick<PolicyBundle, 'policySet' | 'limits'>, state: ControlState): ControlLists {
  const rate = rateControl(rules.limits, state.rates, state.clock);
  const authorization = authorize(rules.policySet, state.clock);
  const budget = budgetControl(rules.limits, state.budgets, state.onSoftLimit);
  const requestControls = [
    rate,
    authorization,
    validateInput(state.schemas),
    concurrencyControl(rules.limits, state.concurrency),
    budget,
  ] as readonly Control[];
  return {
    requestControls,
    responseControls: [validateOutput(state.schemas)] as readonly Control[],
    resumedControls: [...requestControls, requestState() as Control],
    // No concurrency: the call that caused the input request already counts, and its input request would count again.
    inputRequestControls: [rate, authorization, guardInputRequest(), budget] as readonly Control[],
    inputResponseControls: [validateInputResponse(state.schemas)] as readonly Control[],
  };
}
