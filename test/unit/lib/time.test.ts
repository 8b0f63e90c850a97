import { describe, expect, test } from 'vitest';
import { formatDuration, formatTimestamp, parseTimestamp } from '../../../src/lib/time.ts';

describe('a formatted duration', () => {
  test.each([
    [0, '0 s'],
    [1, '1 s'],
    [2_001, '3 s'],
    [119_000, '119 s'],
    [120_000, '2 min'],
    [1_799_500, '30 min'],
    [7_200_000, '2 hours'],
    [43_200_000, '12 hours'],
    [172_799_000, '48 hours'],
    [172_800_000, '2 days'],
    [469_014_947, '5 days'],
    [30 * 86_400_000, '30 days'],
  ])('of %i ms is `%s`', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('below two days is never shorter than the duration', () => {
    const unitMs: Record<string, number> = { s: 1_000, min: 60_000, hours: 3_600_000 };
    for (let ms = 1; ms < 172_800_000; ms = Math.ceil(ms * 1.37)) {
      const [count, unit] = formatDuration(ms).split(' ');
      expect(Number(count) * (unitMs[unit ?? ''] ?? 0)).toBeGreaterThanOrEqual(ms);
    }
  });
});

test.each([
  ['2026-12-01T00:00:00.000Z', '2026-12-01T00:00Z'],
  ['2026-12-01T08:30:05.000Z', '2026-12-01T08:30:05Z'],
  ['2026-12-01T08:30:00.250Z', '2026-12-01T08:30:00.250Z'],
])('the instant %s is written as `%s`, which is read back', (iso, text) => {
  const ms = Date.parse(iso);
  expect(formatTimestamp(ms)).toBe(text);
  expect(parseTimestamp(text, 0)).toBe(ms);
});
