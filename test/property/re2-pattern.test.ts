import fc from 'fast-check';
import { RE2JS } from 're2js';
import { expect, test } from 'vitest';
import { compileRe2Pattern } from '../../src/lib/text/re2-pattern.ts';

/**
 * Atoms on which the two translations agree. Left out: `\s`, `\S`, `.` and long category names, which
 * `RE2JS.translateRegExp` gives another meaning than ECMA-262, and scripts, which it leaves to RE2JS to refuse.
 */
const atom = fc.constantFrom(
  ...['a', 'b', '9', '-', '/', 'é', '\u{1F432}', '\\d', '\\D', '\\w', '\\W', '\\x41', '\\u0061', '\\t', '\\n', '\\/'],
  ...['\\.', '\\-', '\\[', '[a-c]', '[^a-c]', '[\\d_]', '[^\\w-]', '[\\]x]', '\\p{L}', '\\p{Lu}'],
);
const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,3}', '{0,}', '*?', '+?');
const { expression } = fc.letrec<{ expression: string; sequence: string; term: string; group: string }>((tie) => ({
  term: fc.oneof({ maxDepth: 3 }, atom, tie('group')),
  group: fc
    .tuple(fc.constantFrom('(', '(?:', '(?<name>'), tie('expression'))
    .map(([open, inner]) => `${open}${inner})`)
    // A name may stand once only.
    .filter((text) => text.split('(?<name>').length <= 2),
  sequence: fc
    .array(
      fc.tuple(tie('term'), quantifier).map((parts) => parts.join('')),
      { maxLength: 4 },
    )
    .map((parts) => parts.join('')),
  expression: fc.array(tie('sequence'), { minLength: 1, maxLength: 2 }).map((branches) => branches.join('|')),
}));
const anchored = fc
  .tuple(fc.constantFrom('', '^'), expression, fc.constantFrom('', '$'))
  .map(([start, middle, end]) => (start === '' && end === '' ? middle : `${start}(?:${middle})${end}`))
  .filter((source) => source.split('(?<name>').length <= 2 && isValid(source));
const text = fc.string({
  unit: fc.constantFrom('a', 'b', 'c', 'A', '9', '_', '-', '/', '.', '[', ']', '\t', '\n', 'é', 'λ', '\u{1F432}'),
  maxLength: 8,
});

function isValid(source: string): boolean {
  try {
    new RegExp(source, 'u');
    return true;
  } catch {
    return false;
  }
}

test('a pattern matches the same texts as the translation of the RE2JS library and as ECMA-262', () => {
  fc.assert(
    fc.property(anchored, fc.array(text, { minLength: 1, maxLength: 8 }), (source, texts) => {
      const pattern = compileRe2Pattern(source);
      const library = RE2JS.compile(RE2JS.translateRegExp(source));
      const native = new RegExp(source, 'u');
      for (const each of texts) {
        expect(pattern?.test(each), `${source} on ${JSON.stringify(each)}`).toBe(library.test(each));
        expect(pattern?.test(each), `${source} on ${JSON.stringify(each)}`).toBe(native.test(each));
      }
    }),
    { numRuns: 300 },
  );
});
