import type { FailureMode } from '../domain/posture.ts';

/** The control throws then, and the walk refuses what a control throws at. */
export const budgetStoreFailureMode: FailureMode<'control-failed'> = {
  control: 'budget store',
  trigger: 'a reservation cannot be kept',
  result: 'control-failed',
  override: null,
};

/** What was used of one budget in one window, as it is persisted. Absolute amounts, so that the last row is the truth. */
export interface BudgetRow {
  readonly key: string;
  readonly windowStartMs: number;
  readonly windowEndMs: number;
  /** Charged and reserved: what a crash leaves behind stays used. */
  readonly usedCalls: number;
  readonly usedNanoUsd: number;
  /** True when the soft warning of this window was given. */
  readonly isWarned: boolean;
  /** Budget time of this row; the clock of a later run does not start before the latest. */
  readonly updatedAtMs: number;
}

/** Where budgets survive a restart. */
export interface BudgetStore {
  /** Every row, once at the start. */
  load(): readonly BudgetRow[];
  /** Replaces the row of `row.key`. MUST become durable no later than what is stored after it. */
  put(row: BudgetRow): void;
}
