import { destination, type Logger as PinoLogger, pino } from 'pino';
import type { JsonObject } from '../lib/json/json.ts';
import type { LogEvent, LogEvents } from './log-events.ts';

/** Facts with fields, named noun.verb, all of them in `LOG_EVENTS`. A payload or a secret never goes into a line. */
export interface Log {
  info<Event extends LogEvent>(event: Event, fields: LogEvents[Event]): void;
  warn<Event extends LogEvent>(event: Event, fields: LogEvents[Event]): void;
  error<Event extends LogEvent>(event: Event, fields: LogEvents[Event]): void;
}

/** How many bytes of lines are gathered before they are written; what waits is written every second. */
const BUFFER_BYTES = 4_096;
const FLUSH_INTERVAL_MS = 1_000;

/**
 * A log of JSON lines on standard output, for programs. Control characters in values are escaped by JSON itself, so one
 * event stays one line (CWE-117).
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

/** A log that says nothing. */
export const SILENT_LOG: Log = { info: () => {}, warn: () => {}, error: () => {} };
