import { parseDurationMs } from './duration.ts';

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
