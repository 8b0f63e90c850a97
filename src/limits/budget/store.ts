import type { FailureMode } from '../../domain/failure-mode.ts';
import type { Database, Migration, Statement } from '../../storage/database.ts';

/** The schema of this room. */
export const migrations: readonly Migration[] = [
  {
    name: 'limits-001-budget',
    sql: `create table budget (
      key text primary key,
      window_start_ms integer not null,
      window_end_ms integer not null,
      used_calls integer not null,
      used_nano_usd integer not null,
      is_warned integer not null,
      updated_at_ms integer not null
    ) strict, without rowid`,
  },
];

const UPSERT = `insert into budget
  (key, window_start_ms, window_end_ms, used_calls, used_nano_usd, is_warned, updated_at_ms)
  values (?, ?, ?, ?, ?, ?, ?)
  on conflict (key) do update set window_start_ms = excluded.window_start_ms, window_end_ms = excluded.window_end_ms,
  used_calls = excluded.used_calls, used_nano_usd = excluded.used_nano_usd, is_warned = excluded.is_warned,
  updated_at_ms = excluded.updated_at_ms`;

const SELECT_ALL = `select key, window_start_ms as windowStartMs, window_end_ms as windowEndMs, used_calls as usedCalls,
  used_nano_usd as usedNanoUsd, is_warned as isWarned, updated_at_ms as updatedAtMs from budget order by key`;

/**
 * Budgets in the table `budget`. A row joins the transaction of what is written in the same tick, so that a reservation
 * is durable with the intent of its call.
 */
export function createBudgetStore(database: Database): BudgetStore {
  return {
    load: () => loadBudgets(database),
    put: (row) => database.put(`budget ${row.key}`, putStatement(row)),
  };
}

/** Every budget that a data directory holds, for a reader that does not own it. */
export function loadBudgets(database: Pick<Database, 'read'>): readonly BudgetRow[] {
  return database
    .read<Omit<BudgetRow, 'isWarned'> & { readonly isWarned: number }>(SELECT_ALL)
    .map((row) => ({ ...row, isWarned: row.isWarned !== 0 }));
}

function putStatement(row: BudgetRow): Statement {
  const { key, windowStartMs, windowEndMs, usedCalls, usedNanoUsd, isWarned, updatedAtMs } = row;
  return {
    sql: UPSERT,
    params: [key, windowStartMs, windowEndMs, usedCalls, usedNanoUsd, isWarned ? 1 : 0, updatedAtMs],
  };
}

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
