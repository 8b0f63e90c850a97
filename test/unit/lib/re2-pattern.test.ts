import { expect, test } from 'vitest';
import { compileRe2Pattern } from '../../../src/lib/text/re2-pattern.ts';

const TEXTS = [
  '',
  'a',
  'a-b.c',
  'a\nc',
  'a\u2028c',
  'abc',
  '\u00a0\ufeff',
  '2020-11',
  'é',
  '-',
  '9',
  '\u{1F432}',
  '\x01',
].concat(['a/b', '[', ':', ']', 'x{,3}', 'xfoo y', 'foo', '#abc', '#abcd', 'A', '\\', '^', ' \t', 'xx', '\u000b', 'λ']);

test.each([
  '^[\\w\\-.]+$',
  '^[\\w-.]+$',
  'a.c',
  '^\\s+$',
  '^[\\s\\S]*x',
  '^\\S+$',
  '^(?<year>\\d{4})-\\d\\d$',
  '[a-z-9]',
  '^[^]$',
  '^\\u{1F432}$',
  '^\\ud83d\\udc32$',
  '\\cA',
  '^\\p{L}+$',
  '^\\p{Script=Greek}$',
  '^\\p{Letter}$',
  'a\\/b',
  '[[:alpha:]',
  'x{,3}',
  '\\bfoo\\b',
  '^#(?:[0-9a-f]{3}){1,2}$',
  '\\x41',
  'a|b|',
  '[\\]\\\\^]',
  '^$',
  '[-a]',
  '\\-',
  'a+?b*?',
])('`%s` matches as in ECMA-262', (source) => {
  const linear = compileRe2Pattern(source);
  const native = nativePattern(source);
  expect(TEXTS.filter((text) => linear?.test(text))).toEqual(TEXTS.filter((text) => native.test(text)));
});

test.each([
  ['look-ahead', '(?=a)b'],
  ['look-behind', '(?<!a)b'],
  ['a back-reference', '(a)\\1'],
  ['nested quantifiers that multiply', '((a{100}){100}){100}'],
  ['an invalid expression', '(a'],
  ['an escape of another dialect', '\\Qa\\E'],
  ['an expression longer than 1,000 characters', 'a'.repeat(1_001)],
])('%s is refused', (_what, source) => {
  expect(compileRe2Pattern(source)).toBeUndefined();
});

test('an expression with exponential backtracking elsewhere is matched in linear time', () => {
  expect(compileRe2Pattern('^(a+)+$')?.test(`${'a'.repeat(50_000)}!`)).toBe(false);
});

function nativePattern(source: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch {
    return new RegExp(source);
  }
}
