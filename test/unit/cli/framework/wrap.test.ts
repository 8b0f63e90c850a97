import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { wrapCommandLine, wrapParagraphs, wrapWords } from '../../../../src/cli/framework/help.ts';

test('words fill lines up to the width, and a longer word stands alone', () => {
  expect(wrapWords('one two three a-very-long-word four', 9)).toEqual(['one two', 'three', 'a-very-long-word', 'four']);
});

test('an empty line divides paragraphs; other line ends are spaces', () => {
  expect(wrapParagraphs('one\n  two\n\n  three', 80)).toBe('one two\n\nthree');
});

test('a wrapped command line is what it was to a shell', () => {
  const line = `printf '%s|' --as agent:demo call 'a b' "c  d" e\\ f --args '{"a": 2000, "b": 3}' | cat`;
  const wrapped = wrapCommandLine(line, 20);
  expect(wrapped.length).toBeGreaterThan(4);
  expect(wrapped.join('\n')).toContain('\n  --as agent:demo \\\n');
  expect(execFileSync('sh', ['-c', wrapped.join('\n')], { encoding: 'utf8' })).toBe(
    '--as|agent:demo|call|a b|c  d|e f|--args|{"a": 2000, "b": 3}|',
  );
});
