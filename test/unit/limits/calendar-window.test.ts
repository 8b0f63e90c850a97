import { expect, test } from 'vitest';
import { type CalendarWindow, windowEndMs, windowStartMs } from '../../../src/limits/calendar-window.ts';

const at = (text: string): number => Date.parse(text);

const WINDOWS: readonly (readonly [CalendarWindow, string, string, string])[] = [
  ['second', '2026-03-14T12:00:00.999Z', '2026-03-14T12:00:00Z', '2026-03-14T12:00:01Z'],
  ['minute', '2026-03-14T12:59:59.999Z', '2026-03-14T12:59:00Z', '2026-03-14T13:00:00Z'],
  ['hour', '2026-12-31T23:59:59.999Z', '2026-12-31T23:00:00Z', '2027-01-01T00:00:00Z'],
  ['day', '2028-02-28T23:59:59.999Z', '2028-02-28T00:00:00Z', '2028-02-29T00:00:00Z'],
  ['week', '2026-03-15T23:59:59.999Z', '2026-03-09T00:00:00Z', '2026-03-16T00:00:00Z'],
  ['week', '2026-03-16T00:00:00Z', '2026-03-16T00:00:00Z', '2026-03-23T00:00:00Z'],
  ['week', '2027-01-01T00:00:00Z', '2026-12-28T00:00:00Z', '2027-01-04T00:00:00Z'],
  ['month', '2028-02-29T23:59:59.999Z', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z'],
  ['month', '2027-02-28T23:59:59.999Z', '2027-02-01T00:00:00Z', '2027-03-01T00:00:00Z'],
  ['month', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ['month', '2100-02-28T12:00:00Z', '2100-02-01T00:00:00Z', '2100-03-01T00:00:00Z'],
  ['month', '2000-02-29T12:00:00Z', '2000-02-01T00:00:00Z', '2000-03-01T00:00:00Z'],
];

test.each(WINDOWS)('the %s of %s begins at %s and ends at %s', (window, now, start, end) => {
  const startMs = windowStartMs(window, at(now));
  expect(new Date(startMs).toISOString()).toBe(new Date(at(start)).toISOString());
  expect(new Date(windowEndMs(window, startMs)).toISOString()).toBe(new Date(at(end)).toISOString());
});
