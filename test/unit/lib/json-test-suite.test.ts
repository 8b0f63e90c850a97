import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseStrictJson } from '../../../src/lib/json/strict-json.ts';
import { corpus, corpusFiles } from '../../fixtures/corpora/corpora.ts';

const suite = corpus('jsontestsuite');

/** Valid JSON that is refused by rule: two readers may keep different members. */
const REFUSED_BY_RULE = ['y_object_duplicated_key.json', 'y_object_duplicated_key_and_value.json'];

/** What the standard leaves open and is accepted; the other 33 are refused. */
const ACCEPTED_BY_CHOICE = ['i_number_double_huge_neg_exp.json', 'i_number_real_underflow.json'];

describe.skipIf(suite.absent)('JSONTestSuite', () => {
  const verdicts = (kind: string) =>
    corpusFiles(join(suite.folder, 'test_parsing'))
      .filter(({ name }) => name.startsWith(kind))
      .map(({ name, bytes }) => ({ name, ok: parseStrictJson(bytes, { maxBytes: 1_000_000, maxDepth: 64 }).ok }));

  test('the 95 texts that must be accepted are, but for two with duplicate keys', () => {
    const all = verdicts('y_');
    expect(all).toHaveLength(95);
    expect(all.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(REFUSED_BY_RULE);
  });

  test('the 188 texts that must be refused are', () => {
    const all = verdicts('n_');
    expect(all).toHaveLength(188);
    expect(all.filter(({ ok }) => ok)).toEqual([]);
  });

  test('of the 35 texts that may be either, two are accepted', () => {
    const all = verdicts('i_');
    expect(all).toHaveLength(35);
    expect(all.filter(({ ok }) => ok).map(({ name }) => name)).toEqual(ACCEPTED_BY_CHOICE);
  });
});
