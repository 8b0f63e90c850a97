import { runAdmin } from '../../app/admin/run-admin.ts';
import type { CoreOptions } from '../../app/compose.ts';
import type { Settings } from '../../app/settings.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { escapeControlCharacters } from '../../lib/text/escape-control-characters.ts';
import type { Log } from '../../telemetry/log.ts';
import { interruptible } from '../framework/interruptible.ts';
import { printMessage } from '../framework/output.ts';
import { VERSION } from '../framework/version.ts';

/** Sends one admin request: to the running broker, or to a broker opened in this process if none runs. */
export function sendAdminRequest(settings: Settings, method: string, params: JsonObject): Promise<JsonValue> {
  return interruptible((signal) => runAdmin({ method, params, signal }, settings, coreOptions(signal)));
}

/**
 * Options of a broker that a command opens for one request. Only warnings and errors are logged, on standard error;
 * after an abort nothing is logged, because the failures that follow are its consequence.
 */
export function coreOptions(signal: AbortSignal): CoreOptions {
  const logLine = (event: string, fields: object = {}): void => {
    if (!signal.aborted) printMessage(escapeControlCharacters(`${event} ${JSON.stringify(fields)}`));
  };
  const log: Log = { info: () => {}, warn: logLine, error: logLine };
  return { log, version: VERSION, env: process.env };
}
