import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EntryError, encodeEntry, leafHash } from '../../../src/ledger/stored-entry.ts';
import { canonicalJson } from '../../../src/lib/json/canonical-json.ts';
import { corpus } from '../../fixtures/corpora/corpora.ts';
import { systemEntry } from '../../fixtures/ledger.ts';

const { folder, absent } = corpus('jcs-rfc8785');

describe.skipIf(absent !== false)('the vectors of RFC 8785', () => {
  test.each(['arrays', 'french', 'structures', 'unicode', 'values', 'weird'])('%s', (name) => {
    const input: unknown = JSON.parse(readFileSync(join(folder, 'testdata/input', `${name}.json`), 'utf8'));
    const hex = readFileSync(join(folder, 'testdata/outhex', `${name}.txt`), 'utf8').replaceAll(/\s/g, '');
    expect(Buffer.from(canonicalJson(input as never)).toString('hex')).toBe(hex);
  });
});

test('the bytes of an entry are its members in order, without white space', () => {
  expect(encodeEntry(systemEntry('broker.started', { version: '1', pid: 7 }))).toBe(
    '{"atMs":1700000000000,"detail":{"pid":7,"version":"1"},"kind":"broker.started","principal":"system:broker",' +
      '"registry":"sha256:1111111111111111111111111111111111111111111111111111111111111111",' +
      '"revision":"sha256:1111111111111111111111111111111111111111111111111111111111111111","session":"none","v":1}',
  );
});

test('keys that look like numbers are in the order of text, not of numbers', () => {
  expect(encodeEntry(systemEntry('tool.pinned', { '10': 1, '9': 2 }))).toContain('"detail":{"10":1,"9":2}');
});

test('an entry of 65,535 bytes is accepted, and one more byte is refused', () => {
  const room = 65_535 - encodeEntry(systemEntry('tool.pinned', { text: '' })).length;
  expect(encodeEntry(systemEntry('tool.pinned', { text: 'x'.repeat(room) }))).toHaveLength(65_535);
  expect(() => encodeEntry(systemEntry('tool.pinned', { text: 'x'.repeat(room + 1) }))).toThrow(EntryError);
});

test('the size of an entry is counted in bytes and not in characters', () => {
  expect(() => encodeEntry(systemEntry('tool.pinned', { text: '€'.repeat(21_900) }))).toThrow(
    'larger than 65535 bytes',
  );
});

// The empty leaf and the leaf of one zero byte of the reference data of RFC 6962 and 9162.
test.each([
  ['', '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
  ['\u0000', '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7'],
  ['L123456', '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56'],
])('the leaf hash of %j is that of RFC 9162', (bytes, hex) => {
  expect(Buffer.from(leafHash(bytes)).toString('hex')).toBe(hex);
});
