import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EntryFilter } from '../../../src/ledger/list-entries.ts';
import {
  countEntries,
  iterateDecisions,
  listCallEntries,
  listEntries,
  listNextEntries,
} from '../../../src/ledger/list-entries.ts';
import { admitted, type Book, closed, house, openBook, refused } from '../../fixtures/ledger.ts';

let book: Book;
beforeEach(async () => {
  book = await openBook();
  await book.ledger.appendAll([
    house('broker.started'),
    admitted('c1', { atMs: 100 }),
    closed('c1', { atMs: 200 }),
    refused('c2', { atMs: 300, principal: 'agent:other' }),
  ]);
});
afterEach(() => book.close());

const numbers = (filter: EntryFilter & { readonly limit?: number }): readonly number[] =>
  listEntries(book.database, { limit: 10, ...filter }).map(({ seq }) => seq);

test('the newest entries come first, as many as were asked for', () => {
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
  await book.ledger.append(house('tool.pinned', { tool: 'tool:files/read' }));
  expect(numbers({ tool: 'tool:files/read' })).toEqual([5, 4, 3, 2]);
  expect(numbers({ tool: 'tool:files/write' })).toEqual([]);
  expect(numbers({ reason: 'policy-denied' })).toEqual([4]);
  await book.database.write([{ sql: "UPDATE entry SET body = 'x' WHERE seq = 3", params: [] }]);
  expect(numbers({ tool: 'tool:files/read' })).toEqual([5, 4, 2]);
});

test('one who follows reads on from the last entry, oldest first', () => {
  const read = (after: number): readonly number[] =>
    listNextEntries(book.database, { after, limit: 2 }).map(({ seq }) => seq);
  expect([read(0), read(2), read(4)]).toEqual([[1, 2], [3, 4], []]);
});

test('all that a filter says must hold', () => {
  expect(numbers({ agent: 'demo', kind: 'call.refused' })).toEqual([]);
});

test('the next page begins before the last entry of this one', () => {
  expect(numbers({ before: 3, limit: 1 })).toEqual([2]);
});

test('an entry whose body was changed is shown as touched', async () => {
  const sql = `UPDATE entry SET body = replace(body, 'policy-denied', 'rate-exceeded') WHERE seq = 4`;
  await book.database.write([{ sql, params: [] }]);
  expect(listEntries(book.database, { limit: 2 }).map(({ untouched }) => untouched)).toEqual([false, true]);
});

test('a body that is no entry is shown as none', async () => {
  await book.database.write([{ sql: `UPDATE entry SET body = '{}' WHERE seq = 4`, params: [] }]);
  expect(listEntries(book.database, { limit: 1 })).toEqual([{ seq: 4, entry: null, untouched: false }]);
});

test('a call is shown with all its entries in order', () => {
  expect(listCallEntries(book.database, 'c1').map(({ entry, payload }) => [entry?.kind, payload])).toEqual([
    ['call.admitted', { kept: 'erased' }],
    ['call.closed', { kept: 'erased' }],
  ]);
});

test('a call that is not there has no entries', () => {
  expect(listCallEntries(book.database, 'nobody')).toEqual([]);
});

test('decisions are walked in order, an outcome with the intent it belongs to', () => {
  expect([...iterateDecisions(book.database)].map(({ seq, intent }) => [seq, intent?.seq])).toEqual([
    [2, undefined],
    [3, 2],
    [4, undefined],
  ]);
});

test('entries are counted', () => {
  expect(countEntries(book.database)).toBe(4);
});
