import { expect, test } from 'vitest';
import { canonicalJson } from '../../../src/lib/json/canonical-json.ts';
import type { JsonValue } from '../../../src/lib/json/json.ts';

/** `{"b": {"b": … , "a": 1}, "a": 1}`: at each depth the keys are found out of order after the deep member. */
function reversed(innermost: JsonValue, depth: number): JsonValue {
  return depth === 0 ? innermost : { b: reversed(innermost, depth - 1), a: 1 };
}

test('keys are sorted at every depth', () => {
  expect(canonicalJson(reversed({ z: [], 10: 1, 9: 2 }, 2))).toBe('{"a":1,"b":{"a":1,"b":{"10":1,"9":2,"z":[]}}}');
});

test('a nested value is serialized once, whatever the order of keys around it', () => {
  let reads = 0;
  const counted = {
    get deep(): number {
      reads += 1;
      return 0;
    },
  };
  canonicalJson(reversed(counted, 16));
  expect(reads).toBe(1);
});
