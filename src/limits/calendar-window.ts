/** The calendar windows of a budget, all in UTC; a week starts on Monday (ISO 8601). */
export const CALENDAR_WINDOWS = ['second', 'minute', 'hour', 'day', 'week', 'month'] as const;
export type CalendarWindow = (typeof CALENDAR_WINDOWS)[number];

const DAY_MS = 86_400_000;
const FIXED_MS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: DAY_MS, week: 7 * DAY_MS } as const;
/** 1970-01-01 was a Thursday; its week began on the Monday three days before. */
const MONDAY_OFFSET_MS = 3 * DAY_MS;

/** Start of the window that contains `ms`, in milliseconds since 1970. */
export function windowStartMs(window: CalendarWindow, ms: number): number {
  if (window === 'month') return monthStartMs(monthAt(ms));
  const offsetMs = window === 'week' ? MONDAY_OFFSET_MS : 0;
  const lengthMs = FIXED_MS[window];
  return Math.floor((ms + offsetMs) / lengthMs) * lengthMs - offsetMs;
}

/** End (exclusive) of the window that began at `startMs`, in milliseconds since 1970. */
export function windowEndMs(window: CalendarWindow, startMs: number): number {
  return window === 'month' ? monthStartMs(monthAt(startMs) + 1) : startMs + FIXED_MS[window];
}

/** Months since January of year 0 in the proleptic Gregorian calendar. */
function monthAt(ms: number): number {
  // Counting from 1 March of year 0 puts the leap day at the end of a year, so one formula serves all months.
  const day = Math.floor(ms / DAY_MS) + 719_468;
  const era = Math.floor(day / 146_097);
  const dayOfEra = day - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  return (era * 400 + yearOfEra) * 12 + monthFromMarch + 2;
}

function monthStartMs(month: number): number {
  return Date.UTC(Math.floor(month / 12), month % 12, 1);
}
