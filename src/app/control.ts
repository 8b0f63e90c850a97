import { askDaemon } from '../ingress/socket-client.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import { openAdministration } from './administration.ts';
import { type CoreOptions, openCore } from './compose.ts';
import { daemonSocketPath, isDaemonAbsent } from './daemon-client.ts';
import type { Settings } from './settings.ts';

/**
 * Does one act of administration: through the daemon that holds the data directory, or where none runs, by holding it
 * for as long as the act takes. Both ways it is the same code and the same record. An abort of the signal is thrown as
 * its reason, when the broker that was opened here has been closed.
 */
export async function administer(
  act: { readonly method: string; readonly params: JsonObject; readonly signal: AbortSignal },
  settings: Settings,
  options: CoreOptions,
): Promise<JsonValue> {
  try {
    return await unlessAborted(askDaemon(daemonSocketPath(settings), act.method, act.params), act.signal);
  } catch (error) {
    if (!isDaemonAbsent(error)) throw error;
  }
  const core = await openCore(settings, options);
  try {
    act.signal.throwIfAborted();
    return await unlessAborted(
      openAdministration(core, { signal: act.signal }).handle(act.method, act.params),
      act.signal,
    );
  } finally {
    await core.close(`after ${act.method}`);
  }
}

/** What is left of an aborted act fails by itself: what it writes to is closed. */
function unlessAborted<T>(act: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    act.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
