import { afterEach, beforeEach, expect, test } from 'vitest';
import { archivePolicy, readPolicyArchive } from '../../../src/ledger/policy-archive.ts';
import { digestOfJson } from '../../../src/lib/digest.ts';
import { type Book, DIGEST, openBook } from '../../fixtures/ledger.ts';

let book: Book;
beforeEach(async () => {
  book = await openBook();
});
afterEach(() => book.close());

const texts = { 'policy.csv': 'p, agent:demo, tool:*, call, , allow\n', 'limits.yaml': 'rates: []\n' };
const revision = digestOfJson(texts);

test('the texts of a policy set come back under their revision', async () => {
  await archivePolicy(book.database, revision, texts);
  expect(readPolicyArchive(book.database, revision)).toEqual(texts);
});

test('keeping the same policy set twice changes nothing', async () => {
  await archivePolicy(book.database, revision, texts);
  await archivePolicy(book.database, revision, texts);
  expect(book.database.read('SELECT count(*) AS count FROM policy_archive')).toEqual([{ count: 1 }]);
});

test('a revision that is not the digest of its texts is not kept', async () => {
  await expect(archivePolicy(book.database, DIGEST, texts)).rejects.toThrow('not the digest of the texts');
});

test('a revision that was never kept is not there', () => {
  expect(readPolicyArchive(book.database, revision)).toBeUndefined();
});

test('texts that were changed in the file are not taken for their revision', async () => {
  await archivePolicy(book.database, revision, texts);
  await book.database.write([{ sql: `UPDATE policy_archive SET texts = replace(texts, 'demo', 'evil')`, params: [] }]);
  expect(readPolicyArchive(book.database, revision)).toBeUndefined();
});
