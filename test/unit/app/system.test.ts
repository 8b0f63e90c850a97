import { expect, test } from 'vitest';
import { systemIds } from '../../../src/app/system.ts';

test('an id has the form of a UUIDv7 and carries the time', () => {
  const ids = systemIds({ wallMs: () => 0x0192_3456_789a, monotonicMs: () => 0 });
  expect(ids.uuidv7()).toMatch(/^01923456-789a-7000-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('10,000 ids of one millisecond are distinct and sorted', () => {
  const ids = systemIds({ wallMs: () => 1_700_000_000_000, monotonicMs: () => 0 });
  const made = Array.from({ length: 10_000 }, () => ids.uuidv7());
  expect(new Set(made).size).toBe(10_000);
  expect([...made].sort()).toEqual(made);
});

test('a clock set back does not make an id that sorts before an earlier one', () => {
  let nowMs = 1_700_000_000_000;
  const ids = systemIds({ wallMs: () => nowMs, monotonicMs: () => 0 });
  const first = ids.uuidv7();
  nowMs -= 3_600_000;
  expect(ids.uuidv7() > first).toBe(true);
});
