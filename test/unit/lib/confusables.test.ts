import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findConfusables, skeletons, toAsciiConfusable } from '../../../src/lib/text/confusables.ts';
import { corpus } from '../../fixtures/corpora/corpora.ts';

test.each([
  ['s\u0435nd_\u0435mail', 'send_email'],
  ['\u0440\u0430\u0443\u0440\u0430l', 'paypal'],
  ['ｓｅｎｄ', 'send'],
  ['se\u200bnd', 'send'],
  ['sénd', 'send'],
  ['send', 'send'],
])('%j looks like %s in ASCII', (name, ascii) => {
  expect(toAsciiConfusable(name)).toBe(ascii);
});

test.each([
  ['send', 'Send'],
  ['read_all', 'read_a1l'],
  ['ops-1', 'ops-l'],
  ['list', 'l\u0456st'],
  ['db0', 'dbo'],
  ['mail', 'rnail'],
])('%s and %s look alike', (first, second) => {
  expect(findConfusables([first, second])).toEqual(new Map([[second, first]]));
});

test.each([
  ['read', 'write'],
  ['read_file', 'read_files'],
  ['a-b', 'a_b'],
  ['db1', 'db2'],
])('%s and %s do not look alike', (first, second) => {
  expect(findConfusables([first, second]).size).toBe(0);
});

test('a name does not look like itself', () => {
  expect(findConfusables(['send', 'send']).size).toBe(0);
});

test('a name has the same skeletons as its ASCII look-alike', () => {
  expect(skeletons('s\u0435nd')).toEqual(skeletons('send'));
});

const { folder, absent } = corpus('unicode-hidden');

test.skipIf(absent)('the intentional confusables of UTS #39 that imitate an ASCII letter are known', () => {
  const unknown: string[] = [];
  for (const line of readFileSync(join(folder, 'uts39_intentional_confusables.txt'), 'utf8').split('\n')) {
    const [from, to] = line
      .replace(/#.*/, '')
      .split(';')
      .map((part) => part.trim());
    if (!from || !to || from.includes(' ') || to.includes(' ')) continue;
    const pair = [from, to].map((hex) => String.fromCodePoint(Number.parseInt(hex, 16)));
    const [ascii, other] = /^[A-Za-z0-9]$/.test(pair[0] ?? '') ? pair : pair.reverse();
    if (ascii === undefined || other === undefined || !/^[A-Za-z0-9]$/.test(ascii) || /^[ -~]$/.test(other)) continue;
    if (skeletons(other)[1] !== skeletons(ascii)[1])
      unknown.push(`${other} (${other.codePointAt(0)?.toString(16)}) ${ascii}`);
  }
  expect(unknown).toEqual([]);
});
