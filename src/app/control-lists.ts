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

/** What the controls read and change. It outlives every revision of the rules. */
export interface ControlState {
  readonly clock: Clock;
  readonly rates: RateState;
  readonly concurrency: ConcurrencyState;
  readonly budgets: BudgetState;
  readonly schemas: SchemaCompiler;
  readonly onSoftLimit: (warning: SoftLimitWarning) => void;
}

/** The rows of the chain for one revision of the rules, in the order in which a call walks them. */
export interface ControlLists {
  readonly requestControls: readonly Control[];
  readonly responseControls: readonly Control[];
  /** The request row of a call that goes on after a question: the same, and the state that it goes on with. */
  readonly resumedControls: readonly Control[];
  /** What the question of a tool server walks, and then its answer. */
  readonly inputRequestControls: readonly Control[];
  readonly inputResponseControls: readonly Control[];
}

/** Every control of a chain, each once. */
export function allControls({
  resumedControls,
  responseControls,
  inputRequestControls,
  inputResponseControls,
}: ControlLists): readonly Control[] {
  return [...new Set([...resumedControls, ...responseControls, ...inputRequestControls, ...inputResponseControls])];
}

/** Orders the chain: cheap before dear, attributable before anonymous. Replay walks the very same rows. */
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
    // No concurrency: the call that the server is at work on has its place, and its question would need a second one.
    inputRequestControls: [rate, authorization, guardInputRequest(), budget] as readonly Control[],
    inputResponseControls: [validateInputResponse(state.schemas)] as readonly Control[],
  };
}
