import { destination, type Logger as PinoLogger, pino } from 'pino';
import { canonicalJson } from '../lib/json/canonical-json.ts';
import type { JsonObject, JsonValue } from '../lib/json/json.ts';
import { escapeControlCharacters } from '../lib/text/escape-control-characters.ts';
import type { Clock } from '../lib/time.ts';
import type { LogEvent, LogEvents } from './log-events.ts';

/** Log of the events in `LOG_EVENTS`, named noun.verb, with their fields. No payload and no secret is ever logged. */
export interface Log {
  info<Event extends LogEvent>(event: Event, fields: LogEvents[Event]): void;
  warn<Event extends LogEvent>(event: Event, fields: LogEvents[Event]): void;
  error<Event extends LogEvent>(event: Event, fields: LogEvents[Event]): void;
}

/** Bytes of lines that are buffered before a write. The rest is written every second. */
const BUFFER_BYTES = 4_096;
const FLUSH_INTERVAL_MS = 1_000;

/**
 * Creates a log of JSON lines on standard output, for programs. JSON escapes control characters in values, so an event
 * is always one line (CWE-117).
 */
export function jsonLog(): Log & { flush(): void } {
  const stream = destination({ fd: 1, sync: false, minLength: BUFFER_BYTES, periodicFlush: FLUSH_INTERVAL_MS });
  const logger: PinoLogger = pino({ base: null, messageKey: 'event' }, stream);
  return {
    flush: () => stream.flushSync(),
    info: (event: string, fields: JsonObject) => logger.info(fields, event),
    warn: (event: string, fields: JsonObject) => logger.warn(fields, event),
    error: (event: string, fields: JsonObject) => logger.error(fields, event),
  };
}

/** A log that discards every event. */
export const SILENT_LOG: Log = { info: () => {}, warn: () => {}, error: () => {} };

/** Milliseconds for which lines are buffered: too short for a person to notice. */
const BUFFER_MS = 20;

/**
 * Creates a log for people: one line per event, with the time first. Characters that could end a line or move a cursor
 * are escaped (CWE-117, CWE-150). The lines of 20 ms are written together, because each write is a system call; `flush`
 * writes the rest.
 */
export function textLog(write: (text: string) => void, clock: Clock): Log & { flush(): void } {
  let lines = '';
  let lastMs = 0;
  let lastTime = '';
  const flush = (): void => {
    const text = lines;
    lines = '';
    if (text !== '') write(text);
  };
  const line = (level: string, event: string, fields: JsonObject): void => {
    if (lines === '') setTimeout(flush, BUFFER_MS);
    const nowMs = clock.wallMs();
    // Under load many lines have the same millisecond.
    if (nowMs !== lastMs) lastTime = new Date(nowMs).toISOString().slice(11, 23);
    lastMs = nowMs;
    lines += `${lastTime} ${level}${event}`;
    for (const name in fields) lines += formatField(name, fields[name] ?? null);
    lines += '\n';
  };
  return {
    flush,
    info: (event: string, fields: JsonObject) => line('', event, fields),
    warn: (event: string, fields: JsonObject) => line('WARNING ', event, fields),
    error: (event: string, fields: JsonObject) => line('ERROR ', event, fields),
  };
}

function formatField(name: string, value: JsonValue): string {
  if (typeof value === 'number') return ` ${name}=${value}`;
  const plain = typeof value === 'string' && /^[\w:/.,@+-]+$/.test(value);
  return ` ${name}=${plain ? value : escapeControlCharacters(canonicalJson(value))}`;
}
