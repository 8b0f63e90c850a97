import type { Control } from '../domain/control.ts';
import type { Clock } from '../lib/clock.ts';
import { budgetControl } from '../limits/budget.ts';
import type { BudgetState, SoftLimitWarning } from '../limits/budget-state.ts';
import { concurrencyControl } from '../limits/concurrency.ts';
import type { ConcurrencyState } from '../limits/concurrency-state.ts';
import { rateControl } from '../limits/rate.ts';
import type { RateState } from '../limits/rate-state.ts';
import { authorize } from '../policy/authorize.ts';
import type { SchemaCompiler } from '../validation/compile.ts';
import { validateInput } from '../validation/input.ts';
import { validateOutput } from '../validation/output.ts';
import type { Rules } from './rules.ts';

/** What the controls read and change. It outlives every revision of the rules. */
export interface ChainState {
  readonly clock: Clock;
  readonly rates: RateState;
  readonly concurrency: ConcurrencyState;
  readonly budgets: BudgetState;
  readonly schemas: SchemaCompiler;
  readonly onSoftLimit: (warning: SoftLimitWarning) => void;
}

/** The two rows of the chain for one revision of the rules, in the order in which a call walks them. */
export interface Chain {
  readonly requestRow: readonly Control[];
  readonly resultRow: readonly Control[];
}

/** Orders the chain: cheap before dear, attributable before anonymous. Replay walks the very same rows. */
export function chainOf(rules: Pick<Rules, 'policySet' | 'limits'>, state: ChainState): Chain {
  return {
    requestRow: [
      rateControl(rules.limits, state.rates, state.clock),
      authorize(rules.policySet, state.clock),
      validateInput(state.schemas),
      concurrencyControl(rules.limits, state.concurrency),
      budgetControl(rules.limits, state.budgets, state.onSoftLimit),
    ] as readonly Control[],
    resultRow: [validateOutput(state.schemas)] as readonly Control[],
  };
}
