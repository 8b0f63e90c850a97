import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseStrictJson } from '../../src/lib/json/strict-json.ts';

const limits = { maxBytes: 1_000_000, maxDepth: 200 };
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

test('every JSON value is parsed to itself, indented or not', () => {
  const value = fc
    .jsonValue({ maxDepth: 6 })
    .filter((json) => !/__proto__|constructor|prototype/.test(JSON.stringify(json)));
  fc.assert(
    fc.property(value, fc.nat(3), (json, indent) => {
      const text = JSON.stringify(json, null, indent);
      if (!text.isWellFormed()) return;
      const parsed = parseStrictJson(Buffer.from(text), { ...limits, allowUnsafeNumbers: true });
      if (parsed.ok) expect(parsed.value).toEqual(JSON.parse(text));
      else expect(parsed.problem).toBe('lone-surrogate');
    }),
    { numRuns: 300 },
  );
});

test('a duplicate member is found at any depth, also escaped', () => {
  const key = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !FORBIDDEN.has(text));
  fc.assert(
    fc.property(key, fc.nat(5), fc.boolean(), (name, depth, escaped) => {
      const plain = JSON.stringify(name);
      const units = Array.from({ length: name.length }, (_, index) => name.charCodeAt(index));
      const again = escaped ? `"${units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')}"` : plain;
      const object = `{"_":{${plain}:0}, ${plain}:[1], ${again} : {"_":2}}`;
      const text = `${'[{"a":'.repeat(depth)}${object}${'}]'.repeat(depth)}`;
      expect(parseStrictJson(text, limits)).toEqual({ ok: false, problem: 'duplicate-key' });
    }),
    { numRuns: 300 },
  );
});
