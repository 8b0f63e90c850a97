const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration such as `250ms`, `30s`, `5m`, `2h`, `7d`; undefined when it is not one. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const unitMs = UNIT_MS[match?.[2] ?? ''];
  return match && unitMs !== undefined ? Number(match[1]) * unitMs : undefined;
}

/** Where time comes from. Nothing below `app/` reads a clock of its own. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z as the machine's calendar clock says; may jump. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start; never goes backwards, never jumps. */
  monotonicMs(): number;
}

const DATE_FORMAT = /^\d{4}-\d{2}-\d{2}$/;
/** Without a zone a time would mean another moment on another machine. */
const TIMESTAMP_FORMAT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * Milliseconds since 1970 of `7d` (so long before `nowMs`), `2026-11-23` (its first moment in UTC) or
 * `2026-11-23T12:00Z` (ISO 8601 with a zone); undefined for anything else, and for days that no calendar has.
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
