import type { Control } from '../domain/control.ts';
import type { Clock } from '../lib/clock.ts';
import { budgetControl } from '../limits/budget.ts';
import type { BudgetState, SoftLimitWarning } from '../limits/budget-state.ts';
import { concurrencyControl } from '../limits/concurrency.ts';
import type { ConcurrencyState } from '../limits/concurrency-state.ts';
import { rateControl } from '../limits/rate.ts';
import type { RateState } from '../limits/rate-state.ts';
import { authorize } from '../policy/authorize.ts';
import { requestState } from '../questions/request-state.ts';
import { validateAnswer } from '../validation/answer.ts';
import type { SchemaCompiler } from '../validation/compile.ts';
import { validateInput } from '../validation/input.ts';
import { validateOutput } from '../validation/output.ts';
import { guardQuestion } from '../validation/question-guard.ts';
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

/** The rows of the chain for one revision of the rules, in the order in which a call walks them. */
export interface Chain {
  readonly requestRow: readonly Control[];
  readonly resultRow: readonly Control[];
  /** The request row of a call that goes on after a question: the same, and the state that it goes on with. */
  readonly resumedRow: readonly Control[];
  /** What the question of a tool server walks, and then its answer. */
  readonly questionRow: readonly Control[];
  readonly answerRow: readonly Control[];
}

/** Every control of a chain, each once. */
export function controlsOf({ resumedRow, resultRow, questionRow, answerRow }: Chain): readonly Control[] {
  return [...new Set([...resumedRow, ...resultRow, ...questionRow, ...answerRow])];
}

/** Orders the chain: cheap before dear, attributable before anonymous. Replay walks the very same rows. */
export function chainOf(rules: Pick<Rules, 'policySet' | 'limits'>, state: ChainState): Chain {
  const rate = rateControl(rules.limits, state.rates, state.clock);
  const authorized = authorize(rules.policySet, state.clock);
  const budget = budgetControl(rules.limits, state.budgets, state.onSoftLimit);
  const requestRow = [
    rate,
    authorized,
    validateInput(state.schemas),
    concurrencyControl(rules.limits, state.concurrency),
    budget,
  ] as readonly Control[];
  return {
    requestRow,
    resultRow: [validateOutput(state.schemas)] as readonly Control[],
    resumedRow: [...requestRow, requestState() as Control],
    // No concurrency: the call that the server is at work on has its place, and its question would need a second one.
    questionRow: [rate, authorized, guardQuestion(), budget] as readonly Control[],
    answerRow: [validateAnswer(state.schemas)] as readonly Control[],
  };
}
