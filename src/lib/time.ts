const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses a duration such as `250ms`, `30s`, `5m`, `2h` or `7d` to milliseconds; undefined when it is not one. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const unitMs = UNIT_MS[match?.[2] ?? ''];
  return match && unitMs !== undefined ? Number(match[1]) * unitMs : undefined;
}

/**
 * A duration as a person reads it, in one unit: `3 s`, `90 s`, `5 min`, `26 hours`, `5 days`. Rounds up below two days,
 * since a retry before the end fails; days are rounded to the nearest and need the exact instant beside them.
 */
export function formatDuration(ms: number): string {
  const [seconds, minutes, hours] = [ms / 1_000, ms / 60_000, ms / 3_600_000];
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  if (minutes < 120) return `${Math.ceil(minutes)} min`;
  return hours < 48 ? `${Math.ceil(hours)} hours` : `${Math.round(hours / 24)} days`;
}

/** An instant in UTC by ISO 8601 without the fields that are zero at its end: `2026-12-01T00:00Z`, `2026-12-01T08:30:05Z`. */
export function formatTimestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/(?::00)?\.000Z$/, 'Z');
}

/** Source of time. Nothing below `app/` reads a clock of its own. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z by the machine's calendar clock; may jump. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start; never goes backwards and never jumps. */
  monotonicMs(): number;
}

const DATE_FORMAT = /^\d{4}-\d{2}-\d{2}$/;
/** Requires a zone: without one, a time would mean another instant on another machine. */
const TIMESTAMP_FORMAT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * Parses an instant to milliseconds since 1970: `7d` (before `nowMs`), `2026-11-23` (its start in UTC) or
 * `2026-11-23T12:00Z` (ISO 8601 with a zone). Undefined for anything else, and for a date that does not exist.
 */
export function parseTimestamp(text: string, nowMs: number): number | undefined {
  const agoMs = parseDurationMs(text);
  if (agoMs !== undefined) return nowMs - agoMs;
  if (!DATE_FORMAT.test(text) && !TIMESTAMP_FORMAT.test(text)) return undefined;
  const ms = Date.parse(text);
  const isReal =
    !Number.isNaN(ms) && new Date(Date.parse(text.slice(0, 10))).toISOString().startsWith(text.slice(0, 10));
  return isReal ? ms : undefined;
}
