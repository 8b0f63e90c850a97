import { askDaemon } from '../ingress/socket-client.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import { openAdministration } from './administration.ts';
import { type CoreOptions, openCore } from './compose.ts';
import { daemonSocketPath, isDaemonAbsent } from './daemon-client.ts';
import type { Settings } from './settings.ts';

/**
 * Does one act of administration: through the daemon that holds the data directory, or where none runs, by holding it
 * for as long as the act takes. Both ways it is the same code and the same record.
 */
export async function administer(
  act: { readonly method: string; readonly params: JsonObject },
  settings: Settings,
  options: CoreOptions,
): Promise<JsonValue> {
  try {
    return await askDaemon(daemonSocketPath(settings), act.method, act.params);
  } catch (error) {
    if (!isDaemonAbsent(error)) throw error;
  }
  const core = await openCore(settings, options);
  try {
    return await openAdministration(core).handle(act.method, act.params);
  } finally {
    await core.close(`after ${act.method}`);
  }
}
