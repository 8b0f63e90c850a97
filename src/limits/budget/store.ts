import type { FailureMode } from '../../domain/failure-mode.ts';
import type { Database, Migration, Statement } from '../../storage/database.ts';

/** The tables of this module. */
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
 * Makes a store on the table `budget`. A row joins the transaction of other writes of the same tick, so a reservation
 * becomes durable together with the `call.admitted` entry of its call.
 */
export function createBudgetStore(database: Database): BudgetStore {
  return {
    load: () => loadBudgets(database),
    put: (row) => database.put(`budget ${row.key}`, putStatement(row)),
  };
}

/** Loads every budget of a database, also one that another process owns. */
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

/** The control throws, and the pipeline refuses the call. */
export const budgetStoreFailureMode: FailureMode<'control-failed'> = {
  control: 'budget store',
  trigger: 'a reservation cannot be stored',
  result: 'control-failed',
  override: null,
};

/** The persisted usage of one budget in one window. Amounts are absolute, so the last row written is correct by itself. */
export interface BudgetRow {
  readonly key: string;
  readonly windowStartMs: number;
  readonly windowEndMs: number;
  /** Charged and reserved: after a crash, reservations stay used. */
  readonly usedCalls: number;
  readonly usedNanoUsd: number;
  /** True when the warning of this window was given. */
  readonly isWarned: boolean;
  /** Budget time of this row. The budget clock of the next run starts no earlier than the latest. */
  readonly updatedAtMs: number;
}

/** Persistence of budgets. */
export interface BudgetStore {
  /** Every row; called once at start. */
  load(): readonly BudgetRow[];
  /** Replaces the row of `row.key`. MUST become durable no later than anything stored after it. */
  put(row: BudgetRow): void;
}
