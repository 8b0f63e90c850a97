import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseStrictJson } from '../../../src/lib/json/strict-json.ts';
import { corpus, corpusFiles } from '../../fixtures/corpora/corpora.ts';

const suite = corpus('jsontestsuite');

/** Valid JSON with duplicate keys, refused because parsers keep different members. */
const REFUSED_BY_RULE = ['y_object_duplicated_key.json', 'y_object_duplicated_key_and_value.json'];

/** Texts that the standard leaves open and the parser accepts; the other 33 are refused. */
const ACCEPTED_BY_CHOICE = ['i_number_double_huge_neg_exp.json', 'i_number_real_underflow.json'];

describe.skipIf(suite.absent)('JSONTestSuite', () => {
  const verdicts = (kind: string) =>
    corpusFiles(join(suite.folder, 'test_parsing'))
      .filter(({ name }) => name.startsWith(kind))
      .map(({ name, bytes }) => ({ name, ok: parseStrictJson(bytes, { maxBytes: 1_000_000, maxDepth: 64 }).ok }));

  test('of the 95 valid texts, all but two with duplicate keys are accepted', () => {
    const all = verdicts('y_');
    expect(all).toHaveLength(95);
    expect(all.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(REFUSED_BY_RULE);
  });

  test('the 188 invalid texts are refused', () => {
    const all = verdicts('n_');
    expect(all).toHaveLength(188);
    expect(all.filter(({ ok }) => ok)).toEqual([]);
  });

  test('of the 35 texts that the standard leaves open, two are accepted', () => {
    const all = verdicts('i_');
    expect(all).toHaveLength(35);
    expect(all.filter(({ ok }) => ok).map(({ name }) => name)).toEqual(ACCEPTED_BY_CHOICE);
  });
});
