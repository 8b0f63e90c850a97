import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listCallEntries } from '../../../src/ledger/list-entries.ts';
import { admitted, type Book, closed, house, openBook } from '../../fixtures/ledger.ts';

let book: Book;
beforeEach(async () => {
  book = await openBook();
});
afterEach(() => book.close());

test('an entry is stored as its canonical bytes with their leaf hash', async () => {
  await book.ledger.append(house('broker.started', { pid: 1 }));
  const [row] = book.database.read<{ body: string; leaf: Uint8Array }>('SELECT body, leaf FROM entry');
  expect(row?.body.startsWith('{"atMs":1700000000000,"detail":{"pid":1},"kind":"broker.started"')).toBe(true);
  const leaf = createHash('sha256')
    .update(Buffer.from([0]))
    .update(row?.body ?? '')
    .digest();
  expect(Buffer.from(row?.leaf ?? [])).toEqual(leaf);
});

test('the digest of a payload is SHA-256 over salt and canonical bytes', () => {
  const { digest, salt, bytes } = book.ledger.commit({ b: 1, a: 'x' });
  expect(bytes).toBe('{"a":"x","b":1}');
  expect(salt).toHaveLength(16);
  expect(digest).toBe(`sha256:${createHash('sha256').update(salt).update(bytes).digest('hex')}`);
});

test('a payload with a lone surrogate can be committed to, since a tool server may send one', () => {
  expect(book.ledger.commit({ a: '\ud800' }).bytes).toBe('{"a":"\\ud800"}');
});

test('a payload that is to be kept is kept beside its entry and matches its digest', async () => {
  const commitment = book.ledger.commit({ path: 'a' });
  await book.ledger.append(admitted('c1', { argsDigest: commitment.digest }), { commitment, retention: 'keep' });
  expect(listCallEntries(book.database, 'c1')[0]?.payload).toEqual({
    kept: 'bytes',
    value: { path: 'a' },
    matches: true,
  });
});

test('of a payload that is not to be kept only the digest stays', async () => {
  const commitment = book.ledger.commit({ path: 'canary-0815' });
  await book.ledger.append(admitted('c1', { argsDigest: commitment.digest }), { commitment, retention: 'digest' });
  expect(listCallEntries(book.database, 'c1')[0]?.payload).toEqual({ kept: 'digest' });
  expect(readFileSync(`${book.path}-wal`).includes('canary-0815')).toBe(false);
});

test('a payload over the cap is not kept, its digest is', async () => {
  const commitment = book.ledger.commit({ text: '€€€' });
  const keep = { commitment, retention: 'keep', maxBytes: commitment.bytes.length } as const;
  await book.ledger.append(admitted('c1', { argsDigest: commitment.digest }), keep);
  expect(listCallEntries(book.database, 'c1')[0]?.payload).toEqual({ kept: 'digest' });
});

test('an erased payload is gone, and its entry stays as it was', async () => {
  const commitment = book.ledger.commit({ path: 'a' });
  await book.ledger.append(admitted('c1', { argsDigest: commitment.digest }), { commitment, retention: 'keep' });
  const before = listCallEntries(book.database, 'c1')[0];
  await book.ledger.erasePayload(before?.seq ?? 0);
  expect(listCallEntries(book.database, 'c1')[0]).toEqual({ ...before, payload: { kept: 'erased' } });
});

test('entries that are written together are written all or none', async () => {
  const tooLarge = house('tool.pinned', { text: 'x'.repeat(70_000) });
  await expect(book.ledger.appendAll([closed('c1'), tooLarge])).rejects.toThrow('larger than 65535 bytes');
  expect(listCallEntries(book.database, 'c1')).toEqual([]);
});

test('entries of one turn are numbered in the order in which they were appended', async () => {
  await Promise.all(['c1', 'c2', 'c3'].map((callId) => book.ledger.append(admitted(callId))));
  expect(book.database.read('SELECT seq, call FROM entry ORDER BY seq')).toEqual([
    { seq: 1, call: 'c1' },
    { seq: 2, call: 'c2' },
    { seq: 3, call: 'c3' },
  ]);
});
