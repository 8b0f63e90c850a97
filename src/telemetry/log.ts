import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import type { JsonObject } from '../lib/json.ts';

/** Facts with fields, named noun.verb. A payload or a secret never goes into a line. */
export interface Log {
  info(event: string, fields?: JsonObject): void;
  warn(event: string, fields?: JsonObject): void;
  error(event: string, fields?: JsonObject): void;
}

export type LogLevel = 'silent' | 'error' | 'warn' | 'info';

/**
 * A log of JSON lines on `destination`. Control characters in values are escaped by JSON itself, so one event
 * stays one line (CWE-117).
 */
export function openLog(destination: DestinationStream, level: LogLevel = 'info'): Log {
  const logger: PinoLogger = pino({ level, base: null, messageKey: 'event' }, destination);
  return {
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
  };
}

/** A log that says nothing. */
export const SILENT_LOG: Log = { info: () => {}, warn: () => {}, error: () => {} };
