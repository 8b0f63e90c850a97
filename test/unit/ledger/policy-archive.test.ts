import { afterEach, beforeEach, expect, test } from 'vitest';
import { archivePolicy, readPolicyArchive } from '../../../src/ledger/policy-archive.ts';
import { digestOfJson } from '../../../src/lib/digest.ts';
import { DIGEST, openTestLedger, type TestLedger } from '../../fixtures/ledger.ts';

let store: TestLedger;
beforeEach(async () => {
  store = await openTestLedger();
});
afterEach(() => store.close());

const texts = { 'policy.csv': 'p, agent:demo, tool:*, call, , allow\n', 'limits.yaml': 'rates: []\n' };
const revision = digestOfJson(texts);

test('the texts of a policy set come back under their revision', async () => {
  await archivePolicy(store.database, revision, texts);
  expect(readPolicyArchive(store.database, revision)).toEqual(texts);
});

test('archiving the same policy set twice changes nothing', async () => {
  await archivePolicy(store.database, revision, texts);
  await archivePolicy(store.database, revision, texts);
  expect(store.database.read('SELECT count(*) AS count FROM policy_archive')).toEqual([{ count: 1 }]);
});

test('a revision that is not the digest of its texts is refused', async () => {
  await expect(archivePolicy(store.database, DIGEST, texts)).rejects.toThrow('not the digest of the texts');
});

test('a revision that was not archived is undefined', () => {
  expect(readPolicyArchive(store.database, revision)).toBeUndefined();
});

test('texts that were changed in the file are not returned', async () => {
  await archivePolicy(store.database, revision, texts);
  await store.database.write([{ sql: `UPDATE policy_archive SET texts = replace(texts, 'demo', 'evil')`, params: [] }]);
  expect(readPolicyArchive(store.database, revision)).toBeUndefined();
});
