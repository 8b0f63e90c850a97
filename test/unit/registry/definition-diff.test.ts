import { expect, test } from 'vitest';
import { definitionDiff, formatDiff } from '../../../src/registry/pins/definition.ts';

const AGREED = {
  name: 'read',
  description: 'reads',
  inputSchema: { properties: { 'a/b': { default: 1 } }, required: ['x'] },
};

test('equal definitions have no difference, whatever the order of their keys', () => {
  expect(definitionDiff({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 })).toEqual([]);
});

test('a difference names the deepest place, by JSON Pointer', () => {
  const observed = {
    ...AGREED,
    inputSchema: { properties: { 'a/b': { default: 2 } }, required: ['x', 'y'] },
    title: 'T',
  };
  expect(definitionDiff(AGREED, observed)).toEqual([
    { pointer: '/inputSchema/properties/a~1b/default', before: 1, after: 2 },
    { pointer: '/inputSchema/required/1', after: 'y' },
    { pointer: '/title', after: 'T' },
  ]);
});

test('a value of another type is shown whole', () => {
  expect(definitionDiff({ a: [1] }, { a: { 0: 1 } })).toEqual([{ pointer: '/a', before: [1], after: { 0: 1 } }]);
});

test('a key like one of Object.prototype is a difference like any other', () => {
  expect(definitionDiff({}, { constructor: 1 })).toEqual([{ pointer: '/constructor', after: 1 }]);
});

test('invisible characters are escaped', () => {
  const text = formatDiff(definitionDiff({ d: 'reads' }, { d: 'reads\u200b\u001b[31m' }));
  expect(text).toBe('  /d\n  - "reads"\n  + "reads\\u{200b}\\u001b[31m"');
});
