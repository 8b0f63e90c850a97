import { afterEach, beforeEach, expect, test } from 'vitest';
import type { InDoubtEntry, RefusedEntry, SummedEntry } from '../../../src/ledger/entry.ts';
import { queryUsage, type UsageKey } from '../../../src/ledger/usage.ts';
import { admitted, closed, openTestLedger, type TestLedger } from '../../fixtures/ledger.ts';

let store: TestLedger;
beforeEach(async () => {
  store = await openTestLedger();
});
afterEach(() => store.close());

const ALL = { fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER };
const shown = (by: UsageKey, range: Partial<typeof ALL> = {}): readonly string[] =>
  queryUsage(store.database, { by, ...ALL, ...range }).rows.map(
    ({ key, calls, completed, refused, failed, inDoubt, costNanoUsd }) =>
      `${key} ${calls}=${completed}+${refused}+${failed}+${inDoubt} ${costNanoUsd}`,
  );

function refused(callId: string, more: Partial<RefusedEntry> = {}): RefusedEntry {
  const decided = admitted(callId);
  return { ...decided, kind: 'call.refused', stage: 'authorize', reason: 'policy-denied', message: 'no', ...more };
}

function summed(count: number, more: Partial<SummedEntry> = {}): SummedEntry {
  const { principal, registry, revision, session, v, atMs } = admitted('c');
  const kind = 'call.refusals-summed';
  return { principal, registry, revision, session, v, atMs, kind, of: 'call.refused', count, fromMs: atMs, ...more };
}

function inDoubt(callId: string): InDoubtEntry {
  const { principal, registry, revision, session, v, atMs, action } = admitted(callId);
  const target = 'tool:files/read';
  const common = { principal, registry, revision, session, v, atMs, action, callId, target };
  return { ...common, kind: 'call.in-doubt', admittedAtMs: atMs, reason: 'in-doubt' };
}

test('an intent alone is not counted: a call counts once, at the time and with the outcome of its end', async () => {
  await store.ledger.appendAll([admitted('c1'), admitted('c2'), closed('c1', { costNanoUsd: 2_000_000 })]);
  expect(shown('agent')).toEqual(['agent:demo 1=1+0+0+0 2000000']);
});

test('refusals, withheld results, failures and calls in doubt are counted apart', async () => {
  await store.ledger.appendAll([
    refused('c1'),
    closed('c2', { outcome: 'refused', reason: 'output-invalid', costNanoUsd: 5 }),
    closed('c3', { outcome: 'failed', reason: 'upstream-unavailable' }),
    closed('c4', { outcome: 'failed', reason: 'upstream-lost', inDoubt: true, costNanoUsd: 7 }),
  ]);
  expect(shown('reason')).toEqual([
    'output-invalid 1=0+1+0+0 5',
    'policy-denied 1=0+1+0+0 0',
    'upstream-lost 1=0+0+0+1 7',
    'upstream-unavailable 1=0+0+1+0 0',
  ]);
});

test('aggregated refusals count with their number, and refused messages do not count', async () => {
  await store.ledger.appendAll([
    refused('c1', { reason: 'rate-exceeded', subjects: ['agent:demo', 'team:support'] }),
    summed(41, { reason: 'rate-exceeded' }),
    summed(9, { of: 'message.refused', code: -32600 }),
  ]);
  expect(shown('reason')).toEqual(['rate-exceeded 42=0+42+0+0 0']);
  // The aggregate has the team of its first refusal; no entry has the tools.
  expect(shown('team')).toEqual(['support 42=0+42+0+0 0']);
  expect(shown('tool')).toEqual(['tool:files/read 1=0+1+0+0 0', 'null 41=0+41+0+0 0']);
});

test('a call that was never closed is in doubt and costs its reservation', async () => {
  const facts = { nowMs: 1, costNanoUsd: 3_000_000, rules: [] };
  const steps = [{ control: 'budget' as const, effect: 'allow' as const, facts }];
  await store.ledger.appendAll([admitted('c1', { steps, subjects: ['agent:demo', 'team:crm'] }), inDoubt('c1')]);
  expect(shown('team')).toEqual(['crm 1=0+0+0+1 3000000']);
});

test('a month ends with its last millisecond in UTC', async () => {
  const lastMs = Date.UTC(2024, 1, 29, 23, 59, 59, 999);
  await store.ledger.appendAll([closed('c1', { atMs: lastMs }), closed('c2', { atMs: lastMs + 1 })]);
  expect(shown('day')).toEqual(['2024-02-29 1=1+0+0+0 0', '2024-03-01 1=1+0+0+0 0']);
  expect(shown('month')).toEqual(['2024-02 1=1+0+0+0 0', '2024-03 1=1+0+0+0 0']);
  // A range includes its first millisecond and excludes its last.
  expect(shown('month', { fromMs: lastMs, untilMs: lastMs + 1 })).toEqual(['2024-02 1=1+0+0+0 0']);
});

test('calls are grouped by the server of their tool, and an unknown name has no server', async () => {
  const nothing = { id: 'tool:unknown' as const, exposedName: 'a/b' };
  await store.ledger.appendAll([refused('c1', { target: nothing }), closed('c2', { target: 'tool:files/a/b' })]);
  expect(shown('server')).toEqual(['files 1=1+0+0+0 0', 'null 1=0+1+0+0 0']);
  expect(shown('tool')).toEqual(['tool:files/a/b 1=1+0+0+0 0', 'tool:unknown 1=0+1+0+0 0']);
});

test('an unreadable entry is counted and does not fail the query', async () => {
  await store.ledger.appendAll([admitted('c1'), closed('c1'), refused('c2'), summed(3, { reason: 'rate-exceeded' })]);
  await store.database.write([
    { sql: `UPDATE entry SET body = 'x' WHERE kind IN (?, ?)`, params: ['call.admitted', 'call.refused'] },
  ]);
  for (const by of ['agent', 'team', 'tool'] as const) {
    const { rows, unreadable } = queryUsage(store.database, { by, ...ALL });
    expect([by, rows.reduce((sum, { calls }) => sum + calls, 0), unreadable]).toEqual([by, 4, 1]);
  }
});
