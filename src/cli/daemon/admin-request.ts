import { runAdmin } from '../../app/admin/run-admin.ts';
import type { CoreOptions } from '../../app/compose.ts';
import type { Settings } from '../../app/settings.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { escapeControlCharacters } from '../../lib/text/escape-control-characters.ts';
import type { Log } from '../../telemetry/log.ts';
import { interruptible } from '../framework/interruptible.ts';
import { printMessage } from '../framework/output.ts';
import { VERSION } from '../framework/version.ts';

/** Does one act of administration: through the daemon that runs, or where none does, by itself. */
export function sendAdminRequest(settings: Settings, method: string, params: JsonObject): Promise<JsonValue> {
  return interruptible((signal) => runAdmin({ method, params, signal }, settings, coreOptions(signal)));
}

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
