import type { CoreOptions } from '../app/compose.ts';
import { escapeControlCharacters } from '../lib/visible-text.ts';
import type { Log } from '../telemetry/log.ts';
import { printMessage } from './output.ts';
import { VERSION } from './version.ts';

/**
 * What a command opens a broker with for one act: it says what goes wrong on standard error, and nothing else. What goes
 * wrong after an abort goes wrong because of it, and is no news.
 */
export function coreOptions(signal: AbortSignal): CoreOptions {
  const logLine = (event: string, fields: object = {}): void => {
    if (!signal.aborted) printMessage(escapeControlCharacters(`${event} ${JSON.stringify(fields)}`));
  };
  const log: Log = { info: () => {}, warn: logLine, error: logLine };
  return { log, version: VERSION, env: process.env };
}
