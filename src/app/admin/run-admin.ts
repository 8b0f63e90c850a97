import { sendAdminRequest } from '../../ingress/socket/connect.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import { type CoreOptions, composeCore } from '../compose.ts';
import { daemonSocketPath, isDaemonAbsent } from '../runtime/daemon-socket.ts';
import type { Settings } from '../settings.ts';
import { openAdminApi } from './admin-api.ts';

/**
 * Runs one administrative request in the daemon that holds the data directory. If no daemon runs, opens the data
 * directory for the duration of the request. Code and ledger entries are the same both ways.
 * @throws the signal's reason when it is aborted, after a broker that was opened here has closed.
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

/** Rejects when the signal aborts. The request itself then fails, because the stores that it writes to are closed. */
function rejectOnAbort<T>(response: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    response.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
