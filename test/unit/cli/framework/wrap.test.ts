import { expect, test } from 'vitest';
import { wrapParagraphs, wrapWords } from '../../../../src/cli/framework/help.ts';

test('words fill lines up to the width, and a longer word stands alone', () => {
  expect(wrapWords('one two three a-very-long-word four', 9)).toEqual(['one two', 'three', 'a-very-long-word', 'four']);
});

test('an empty line divides paragraphs; other line ends are spaces', () => {
  expect(wrapParagraphs('one\n  two\n\n  three', 80)).toBe('one two\n\nthree');
});
