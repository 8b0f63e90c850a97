import type { Database, Migration, Statement } from '../storage/database.ts';
import type { BudgetRow, BudgetStore } from './budget-store.ts';

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
