import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { budgetControl } from '../../../src/limits/budget/control.ts';
import { createBudgetState } from '../../../src/limits/budget/state.ts';
import { createBudgetStore, migrations } from '../../../src/limits/budget/store.ts';
import { loadLimits } from '../../../src/limits/load.ts';
import type { Database } from '../../../src/storage/database.ts';
import { openSqlite } from '../../../src/storage/sqlite.ts';
import { admittedOf, COMPLETED, callOf, refusedAt, runControl, SetClock } from './limited-call.ts';

const LIMITS =
  'budgets:\n  - { subject: "agent:*", resource: "tool:*", window: day, hard: { calls: 100, usd: "9007199" } }\n';

let directory = '';
let path = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'budget-'));
  path = join(directory, 'data.db');
});
afterEach(() => rmSync(directory, { recursive: true }));

function controlOn(database: Database) {
  const state = createBudgetState({ store: createBudgetStore(database), clock: new SetClock(), onClockJump: () => {} });
  return budgetControl(loadLimits('limits.yaml', LIMITS), state, () => {});
}

test('a budget exhausted before a restart is exhausted after it', async () => {
  const before = await openSqlite({ path, migrations });
  expect(admittedOf(controlOn(before), 70, callOf)).toBe(70);
  await before.close();
  const after = await openSqlite({ path, migrations });
  expect(admittedOf(controlOn(after), 200, callOf)).toBe(30);
  await after.close();
});

test('a refund survives a restart', async () => {
  const before = await openSqlite({ path, migrations });
  const control = controlOn(before);
  const call = callOf();
  control.settle?.({ call }, runControl(control, call).facts, refusedAt('ledger'));
  await before.close();
  const after = await openSqlite({ path, migrations });
  expect(admittedOf(controlOn(after), 200, callOf)).toBe(100);
  await after.close();
});

test('a warning is not repeated after a restart', async () => {
  const before = await openSqlite({ path, migrations });
  const control = controlOn(before);
  for (let charged = 0; charged < 80; charged += 1) {
    const call = callOf();
    control.settle?.({ call }, runControl(control, call).facts, COMPLETED);
  }
  await before.close();
  const after = await openSqlite({ path, migrations });
  expect(createBudgetStore(after).load()).toMatchObject([{ usedCalls: 80, isWarned: true }]);
  await after.close();
});

test('nine million dollars are stored and loaded to the nano-dollar', async () => {
  const before = await openSqlite({ path, migrations });
  runControl(controlOn(before), callOf({ costNanoUsd: 9_007_198_999_999_999 }));
  await before.close();
  const after = await openSqlite({ path, migrations });
  expect(createBudgetStore(after).load()).toMatchObject([
    { usedCalls: 1, usedNanoUsd: 9_007_198_999_999_999, isWarned: false },
  ]);
  await after.close();
});
