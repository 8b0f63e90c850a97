import { createRequire } from 'node:module';
import type { Dispatcher, Pool, Pool as UndiciPool } from 'undici';

// Loading all of undici takes five times the files, most of them for a `fetch` that Node has: a tenth of the start time.
const PoolClass = createRequire(import.meta.url)('undici/lib/dispatcher/pool.js') as typeof UndiciPool; // untyped

/** Calls beyond this limit wait for a socket until their deadline. */
const MAX_CALL_CONNECTIONS = 256;
/** For notifications and for responses to a server's requests: pending calls must not delay them. */
const MAX_BACKGROUND_CONNECTIONS = 16;

/**
 * Connection pools of one HTTP server, shared by its sessions. Long-lived streams, one or two per session, have their own
 * pool, so that many sessions leave the connections for calls free.
 */
export class HttpClient {
  readonly calls: UndiciPool;
  readonly background: UndiciPool;
  readonly streams: UndiciPool;

  constructor(origin: string, { connectTimeoutMs }: { readonly connectTimeoutMs: number }) {
    const common = { allowH2: false, connect: { timeout: connectTimeoutMs } };
    this.calls = new PoolClass(origin, { ...common, connections: MAX_CALL_CONNECTIONS });
    this.background = new PoolClass(origin, { ...common, connections: MAX_BACKGROUND_CONNECTIONS });
    this.streams = new PoolClass(origin, common);
  }

  async destroy(): Promise<void> {
    await Promise.all([this.calls.destroy(), this.background.destroy(), this.streams.destroy()]);
  }
}

const POST_TIMEOUT_MS = 2_000;

/**
 * Sends a message whose response does not matter: a notification, a response to a server's request, the end of a session.
 * Never rejects. Resolves to the HTTP status, to `broken` if there was none, or to `late` after 2 s.
 */
export function postAndForget(
  pool: Pool,
  request: { method: 'POST' | 'DELETE'; path: string; headers: readonly string[]; body?: string },
): Promise<number | 'broken' | 'late'> {
  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | undefined;
    let isOver = false;
    let status: number | 'broken' = 'broken';
    const end = (result: number | 'broken' | 'late'): void => {
      isOver = true;
      clearTimeout(timer);
      resolve(result);
    };
    const timer = setTimeout(() => {
      end('late');
      controller?.abort(new Error('abandoned'));
    }, POST_TIMEOUT_MS);
    const { method, path, headers, body = null } = request;
    pool.dispatch(
      { method, path, headers: [...headers], body, headersTimeout: 0, bodyTimeout: POST_TIMEOUT_MS },
      {
        onRequestStart: (started) => {
          controller = started;
          if (isOver) started.abort(new Error('abandoned'));
        },
        onResponseStart: (_controller, code) => {
          status = code;
        },
        onResponseData: () => {},
        onResponseEnd: () => end(status),
        onResponseError: () => end(status),
      },
    );
  });
}
