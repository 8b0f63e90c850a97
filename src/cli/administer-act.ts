import { runAdmin } from '../app/control.ts';
import type { Settings } from '../app/settings.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import { coreOptions } from './core-options.ts';
import { interruptible } from './interruption.ts';

/** Does one act of administration: through the daemon that runs, or where none does, by itself. */
export function sendAdminRequest(settings: Settings, method: string, params: JsonObject): Promise<JsonValue> {
  return interruptible((signal) => runAdmin({ method, params, signal }, settings, coreOptions(signal)));
}
