import { expect, test } from 'vitest';
import {
  escapeControlCharacters,
  escapeControlCharactersInLines,
} from '../../../src/lib/text/escape-control-characters.ts';

test('C0 and C1 controls, line ends and escape characters are escaped', () => {
  expect(escapeControlCharacters('a\r\n\u001b[31mb\u009b2J\u007f')).toBe('a\\u000d\\u000a\\u001b[31mb\\u009b2J\\u007f');
});

test('all twelve bidirectional marks, zero-width characters and tags are escaped', () => {
  const hidden = '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff\u{e0041}';
  expect(escapeControlCharacters(hidden)).toMatch(/^(?:\\u[0-9a-f]{4}){16}$/);
});

test('inside JSON, the escapes stand for the characters they replace', () => {
  const value = { text: 'a\u009b\u202e\u{e0041}é' };
  expect(JSON.parse(escapeControlCharacters(JSON.stringify(value)))).toEqual(value);
});

test('a text of several lines keeps its line ends and tabs only', () => {
  expect(escapeControlCharactersInLines('a\n\tb\r\u001b[0m')).toBe('a\n\tb\\u000d\\u001b[0m');
});

test('visible text stays unchanged', () => {
  expect(escapeControlCharacters('naïve 名前 🙂 ~')).toBe('naïve 名前 🙂 ~');
});
