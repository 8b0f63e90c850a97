import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listCallEntries } from '../../../src/ledger/list-entries.ts';
import { admitted, closed, openTestLedger, systemEntry, type TestLedger } from '../../fixtures/ledger.ts';

let store: TestLedger;
beforeEach(async () => {
  store = await openTestLedger();
});
afterEach(() => store.close());

test('an entry is stored as its canonical bytes with their leaf hash', async () => {
  await store.ledger.append(systemEntry('broker.started', { pid: 1 }));
  const [row] = store.database.read<{ body: string; leaf: Uint8Array }>('SELECT body, leaf FROM entry');
  expect(row?.body.startsWith('{"atMs":1700000000000,"detail":{"pid":1},"kind":"broker.started"')).toBe(true);
  const leaf = createHash('sha256')
    .update(Buffer.from([0]))
    .update(row?.body ?? '')
    .digest();
  expect(Buffer.from(row?.leaf ?? [])).toEqual(leaf);
});

test('the digest of a payload is SHA-256 over salt and canonical bytes', () => {
  const { digest, salt, bytes } = store.ledger.commit({ b: 1, a: 'x' });
  expect(bytes).toBe('{"a":"x","b":1}');
  expect(salt).toHaveLength(16);
  expect(digest).toBe(`sha256:${createHash('sha256').update(salt).update(bytes).digest('hex')}`);
});

test('a payload with a lone surrogate can be committed to, since a tool server may send one', () => {
  expect(store.ledger.commit({ a: '\ud800' }).bytes).toBe('{"a":"\\ud800"}');
});

test('a payload with retention `keep` is stored beside its entry and matches its digest', async () => {
  const commitment = store.ledger.commit({ path: 'a' });
  await store.ledger.append(admitted('c1', { argsDigest: commitment.digest }), { commitment, retention: 'keep' });
  expect(listCallEntries(store.database, 'c1')[0]?.payload).toEqual({
    kept: 'bytes',
    value: { path: 'a' },
    matches: true,
  });
});

test('of a payload with retention `digest` only the digest is stored', async () => {
  const commitment = store.ledger.commit({ path: 'canary-0815' });
  await store.ledger.append(admitted('c1', { argsDigest: commitment.digest }), { commitment, retention: 'digest' });
  expect(listCallEntries(store.database, 'c1')[0]?.payload).toEqual({ kept: 'digest' });
  expect(readFileSync(`${store.path}-wal`).includes('canary-0815')).toBe(false);
});

test('a payload over the size limit is not stored, but its digest is', async () => {
  const commitment = store.ledger.commit({ text: '€€€' });
  const keep = { commitment, retention: 'keep', maxBytes: commitment.bytes.length } as const;
  await store.ledger.append(admitted('c1', { argsDigest: commitment.digest }), keep);
  expect(listCallEntries(store.database, 'c1')[0]?.payload).toEqual({ kept: 'digest' });
});

test('an erased payload is gone, and its entry stays unchanged', async () => {
  const commitment = store.ledger.commit({ path: 'a' });
  await store.ledger.append(admitted('c1', { argsDigest: commitment.digest }), { commitment, retention: 'keep' });
  const before = listCallEntries(store.database, 'c1')[0];
  await store.ledger.erasePayload(before?.seq ?? 0);
  expect(listCallEntries(store.database, 'c1')[0]).toEqual({ ...before, payload: { kept: 'erased' } });
});

test('of several entries all or none are written', async () => {
  const tooLarge = systemEntry('tool.pinned', { text: 'x'.repeat(70_000) });
  await expect(store.ledger.appendAll([closed('c1'), tooLarge])).rejects.toThrow('larger than 65535 bytes');
  expect(listCallEntries(store.database, 'c1')).toEqual([]);
});

test('entries of one turn are numbered in the order in which they were appended', async () => {
  await Promise.all(['c1', 'c2', 'c3'].map((callId) => store.ledger.append(admitted(callId))));
  expect(store.database.read('SELECT seq, call FROM entry ORDER BY seq')).toEqual([
    { seq: 1, call: 'c1' },
    { seq: 2, call: 'c2' },
    { seq: 3, call: 'c3' },
  ]);
});
