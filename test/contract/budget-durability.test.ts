import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { createBudgetStore, migrations } from '../../src/limits/budget/store.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';

const LIMITS = 'budgets:\n  - { subject: "agent:*", resource: "tool:*", window: day, hard: { calls: 1000000 } }\n';

test('a reservation is durable with what was written in its tick, also when the process is killed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'budget-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'data.db');
  const script = resolve(import.meta.dirname, '../fixtures/programs/reserving-process.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, path, LIMITS], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((done) => child.once('exit', done));
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (acknowledged === 40) child.kill('SIGKILL');
  }
  await exited;
  const database = await openSqlite({ path, migrations });
  const used = createBudgetStore(database).load()[0]?.usedCalls ?? 0;
  await database.close();
  expect(acknowledged).toBeGreaterThanOrEqual(40);
  expect(used).toBeGreaterThanOrEqual(acknowledged);
});
