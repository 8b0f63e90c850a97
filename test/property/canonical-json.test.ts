import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../src/lib/json/canonical-json.ts';
import type { JsonValue } from '../../src/lib/json/json.ts';

test('the canonical form is that of the `canonicalize` library, and keeps the value', () => {
  const value = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' });
  fc.assert(
    fc.property(value, (json) => {
      // `as`: fast-check types JSON as unknown.
      const canonical = canonicalJson(json as JsonValue);
      expect(canonical).toBe(canonicalize(json));
      expect(JSON.parse(canonical)).toEqual(JSON.parse(JSON.stringify(json)));
    }),
    { numRuns: 200 },
  );
});

test('the order of insertion does not change the canonical form', () => {
  const entries = fc.uniqueArray(fc.tuple(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 2 })), {
    selector: ([key]) => key,
    maxLength: 12,
  });
  fc.assert(
    fc.property(entries, (pairs) => {
      const forward = Object.fromEntries(pairs) as Record<string, JsonValue>;
      const backward = Object.fromEntries(pairs.toReversed()) as Record<string, JsonValue>;
      expect(canonicalJson(backward)).toBe(canonicalJson(forward));
    }),
  );
});
