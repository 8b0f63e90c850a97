import { sendAdminRequest } from '../../ingress/socket/connect.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { type CoreOptions, composeCore } from '../compose.ts';
import { daemonSocketPath, isDaemonAbsent } from '../runtime/daemon-socket.ts';
import type { Settings } from '../settings.ts';
import { openAdminApi } from './admin-api.ts';

/**
 * Does one act of administration: through the daemon that holds the data directory, or where none runs, by holding it
 * for as long as the act takes. Both ways it is the same code and the same record. An abort of the signal is thrown as
 * its reason, when the broker that was opened here has been closed.
 */
export async function runAdmin(
  request: { readonly method: string; readonly params: JsonObject; readonly signal: AbortSignal },
  settings: Settings,
  options: CoreOptions,
): Promise<JsonValue> {
  try {
    return await rejectOnAbort(
      sendAdminRequest(daemonSocketPath(settings), request.method, request.params),
      request.signal,
    );
  } catch (error) {
    if (!isDaemonAbsent(error)) throw error;
  }
  const core = await composeCore(settings, options);
  try {
    request.signal.throwIfAborted();
    return await rejectOnAbort(
      openAdminApi(core, { signal: request.signal }).handle(request.method, request.params),
      request.signal,
    );
  } finally {
    await core.close(`after ${request.method}`);
  }
}

/** What is left of an aborted act fails by itself: what it writes to is closed. */
function rejectOnAbort<T>(act: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    act.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
