import { expect, test } from 'vitest';
import { parseStrictJson } from '../../../src/lib/json/strict-json.ts';

const limits = { maxBytes: 1_000, maxDepth: 8 };

function problemOf(text: string | Uint8Array, more: object = {}): string | undefined {
  const parsed = parseStrictJson(text, { ...limits, ...more });
  return parsed.ok ? undefined : parsed.problem;
}

test('bytes and text of the same JSON give the same value', () => {
  const text = '{"a":[1,-2.5e3,"\\u00e9\\n",null,true],"b":{"c":{}}}';
  const value = { a: [1, -2500, 'é\n', null, true], b: { c: {} } };
  expect(parseStrictJson(text, limits)).toEqual({ ok: true, value });
  expect(parseStrictJson(Buffer.from(text), limits)).toEqual({ ok: true, value });
  expect(parseStrictJson(new TextEncoder().encode(text), limits)).toEqual({ ok: true, value });
});

test('a duplicate key is refused at any depth, however it is escaped', () => {
  expect(problemOf('{"a":1,"a":1}')).toBe('duplicate-key');
  expect(problemOf('[{"b":{"a":1,"\\u0061":{"x":2}}}]')).toBe('duplicate-key');
});

test('the same key in two objects is not a duplicate', () => {
  expect(problemOf('{"a":{"a":1},"b":[{"a":1},{"a":":"}]}')).toBeUndefined();
});

test.each(['__proto__', 'constructor', 'prototype', '\\u005f_proto__'])('the key %s is refused', (key) => {
  expect(problemOf(`{"x":[{"${key}":{"admin":true}}]}`)).toBe('forbidden-key');
});

test('a forbidden key is harmless as a value', () => {
  expect(problemOf('["__proto__","constructor"]')).toBeUndefined();
});

test('integers that parsing would change are refused, fractions and exponents are not', () => {
  expect(problemOf('9007199254740991')).toBeUndefined();
  expect(problemOf('{"id":9007199254740993}')).toBe('unsafe-number');
  expect(problemOf('[-9007199254740992]')).toBe('unsafe-number');
  expect(problemOf('[1e300, 12345678901234567890.5]')).toBeUndefined();
  expect(problemOf('1e999')).toBe('unsafe-number');
  expect(problemOf('["9007199254740993 \\" 9007199254740993"]')).toBeUndefined();
});

test('unsafe numbers are accepted when the caller allows them', () => {
  expect(problemOf('9007199254740993', { allowUnsafeNumbers: true })).toBeUndefined();
});

test('nesting above the limit is refused, also in a text that never closes', () => {
  expect(problemOf('[[[[[[[[]]]]]]]]')).toBeUndefined();
  expect(problemOf('[[[[[[[[[]]]]]]]]]')).toBe('too-deep');
  expect(problemOf('['.repeat(100_000), { maxBytes: 1_000_000 })).toBe('too-deep');
  expect(problemOf('{"a":'.repeat(100_000), { maxBytes: 1_000_000 })).toBe('too-deep');
});

test('brackets inside strings are not nesting', () => {
  expect(problemOf('["[[[[[[[[[[[[", "\\\\", "\\"[[[[[[[[[["]')).toBeUndefined();
});

test('size is measured in bytes of UTF-8', () => {
  expect(problemOf('"éé"', { maxBytes: 6 })).toBeUndefined();
  expect(problemOf('"éé"', { maxBytes: 5 })).toBe('too-large');
  expect(problemOf(Buffer.from('"éé"'), { maxBytes: 5 })).toBe('too-large');
});

test('bytes that are not UTF-8, a byte order mark and lone surrogates are refused', () => {
  expect(problemOf(Buffer.from([0x22, 0xff, 0x22]))).toBe('invalid-utf8');
  expect(problemOf(Buffer.from('\u{feff}{}'))).toBe('syntax');
  expect(problemOf('["\\ud800"]')).toBe('lone-surrogate');
  expect(problemOf('{"\\udc00":1}')).toBe('lone-surrogate');
  expect(problemOf('"\ud800"')).toBe('lone-surrogate');
});

test('long strings with quotes and backslashes end where JSON says', () => {
  const long = `${'x'.repeat(100)}\\\\\\"${'y'.repeat(100)}\\\\`;
  expect(problemOf(`{"a":"${long}","b":1}`)).toBeUndefined();
  expect(problemOf(`{"a":"${long}","a":1}`)).toBe('duplicate-key');
  expect(problemOf(`{"a":"${'x'.repeat(100)}\\"`)).toBe('syntax');
});
