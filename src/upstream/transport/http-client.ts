import { createRequire } from 'node:module';
import type { Dispatcher, Pool, Pool as UndiciPool } from 'undici';

// The whole of undici is five times the files, most of them for a `fetch` that Node has already: a tenth of a start.
const PoolClass = createRequire(import.meta.url)('undici/lib/dispatcher/pool.js') as typeof UndiciPool; // untyped

/** Calls beyond it wait for a socket, each for as long as its own deadline. */
const MAX_CALL_CONNECTIONS = 256;
/** Answers to a server's requests and notifications: calls that wait for an answer must not keep it from being posted. */
const MAX_BACKGROUND_CONNECTIONS = 16;

/**
 * The sockets of one HTTP server, which its sessions share. Streams that stand for as long as their session, one or two
 * of each, have sockets of their own, so that many sessions take no room from calls.
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
 * Sends what needs no answer: notifications, answers to a server's requests, the end of a session. Never rejects; gives
 * the HTTP status, `broken` when none came, `late` when it was not waited for.
 */
export function postAndForget(
  pool: Pool,
  request: { method: 'POST' | 'DELETE'; path: string; headers: readonly string[]; body?: string },
): Promise<number | 'broken' | 'late'> {
  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | undefined;
    let isOver = false;
    let status: number | 'broken' = 'broken';
    const end = (how: number | 'broken' | 'late'): void => {
      isOver = true;
      clearTimeout(timer);
      resolve(how);
    };
    const timer = setTimeout(() => {
      end('late');
      controller?.abort(new Error('given up'));
    }, POST_TIMEOUT_MS);
    const { method, path, headers, body = null } = request;
    pool.dispatch(
      { method, path, headers: [...headers], body, headersTimeout: 0, bodyTimeout: POST_TIMEOUT_MS },
      {
        onRequestStart: (started) => {
          controller = started;
          if (isOver) started.abort(new Error('given up'));
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
