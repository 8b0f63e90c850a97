import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EntryFilter } from '../../../src/ledger/list-entries.ts';
import {
  countEntries,
  iterateDecisions,
  listCallEntries,
  listEntries,
  listNextEntries,
} from '../../../src/ledger/list-entries.ts';
import { admitted, closed, openTestLedger, refused, systemEntry, type TestLedger } from '../../fixtures/ledger.ts';

let store: TestLedger;
beforeEach(async () => {
  store = await openTestLedger();
  await store.ledger.appendAll([
    systemEntry('broker.started'),
    admitted('c1', { atMs: 100 }),
    closed('c1', { atMs: 200 }),
    refused('c2', { atMs: 300, principal: 'agent:other' }),
  ]);
});
afterEach(() => store.close());

const numbers = (filter: EntryFilter & { readonly limit?: number }): readonly number[] =>
  listEntries(store.database, { limit: 10, ...filter }).map(({ seq }) => seq);

test('the newest entries come first, up to the limit', () => {
  expect(numbers({})).toEqual([4, 3, 2, 1]);
  expect(numbers({ limit: 2 })).toEqual([4, 3]);
});

test('entries are filtered by agent, kind, call and time', () => {
  expect(numbers({ agent: 'other' })).toEqual([4]);
  expect(numbers({ kind: 'call.admitted' })).toEqual([2]);
  expect(numbers({ callId: 'c1' })).toEqual([3, 2]);
  expect(numbers({ sinceMs: 200 })).toEqual([4, 3, 1]);
});

test('entries are filtered by tool, however their kind names it, and by reason', async () => {
  await store.ledger.append(systemEntry('tool.pinned', { tool: 'tool:files/read' }));
  expect(numbers({ tool: 'tool:files/read' })).toEqual([5, 4, 3, 2]);
  expect(numbers({ tool: 'tool:files/write' })).toEqual([]);
  expect(numbers({ reason: 'policy-denied' })).toEqual([4]);
  await store.database.write([{ sql: "UPDATE entry SET body = 'x' WHERE seq = 3", params: [] }]);
  expect(numbers({ tool: 'tool:files/read' })).toEqual([5, 4, 2]);
});

test('a follower reads from the last entry on, oldest first', () => {
  const read = (after: number): readonly number[] =>
    listNextEntries(store.database, { after, limit: 2 }).map(({ seq }) => seq);
  expect([read(0), read(2), read(4)]).toEqual([[1, 2], [3, 4], []]);
});

test('an entry must meet every condition of a filter', () => {
  expect(numbers({ agent: 'demo', kind: 'call.refused' })).toEqual([]);
});

test('the next page begins before the last entry of this one', () => {
  expect(numbers({ before: 3, limit: 1 })).toEqual([2]);
});

test('an entry whose body was changed is not `untouched`', async () => {
  const sql = `UPDATE entry SET body = replace(body, 'policy-denied', 'rate-exceeded') WHERE seq = 4`;
  await store.database.write([{ sql, params: [] }]);
  expect(listEntries(store.database, { limit: 2 }).map(({ untouched }) => untouched)).toEqual([false, true]);
});

test('a body that is not an entry is shown as null', async () => {
  await store.database.write([{ sql: `UPDATE entry SET body = '{}' WHERE seq = 4`, params: [] }]);
  expect(listEntries(store.database, { limit: 1 })).toEqual([{ seq: 4, entry: null, untouched: false }]);
});

test('a call is shown with all its entries in order', () => {
  expect(listCallEntries(store.database, 'c1').map(({ entry, payload }) => [entry?.kind, payload])).toEqual([
    ['call.admitted', { kept: 'erased' }],
    ['call.closed', { kept: 'erased' }],
  ]);
});

test('an unknown call has no entries', () => {
  expect(listCallEntries(store.database, 'unknown')).toEqual([]);
});

test('decisions are iterated in order, an outcome with its intent', () => {
  expect([...iterateDecisions(store.database)].map(({ seq, intent }) => [seq, intent?.seq])).toEqual([
    [2, undefined],
    [3, 2],
    [4, undefined],
  ]);
});

test('entries are counted', () => {
  expect(countEntries(store.database)).toBe(4);
});
