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

const MAX_IN_FLIGHT = 4;
const MAX_QUEUED = 64;

/** Posts responses to a server's requests: four at a time, 64 queued, the rest dropped. */
export class BackgroundPosts {
  readonly #post: (body: string) => Promise<unknown>;
  readonly #onDropped: () => void;
  readonly #queued: string[] = [];
  #inFlightCount = 0;

  /** `post` MUST NOT reject. */
  constructor(post: (body: string) => Promise<unknown>, onDropped: () => void) {
    this.#post = post;
    this.#onDropped = onDropped;
  }

  add(body: string): void {
    if (this.#inFlightCount < MAX_IN_FLIGHT) void this.#postAll(body);
    else if (this.#queued.length < MAX_QUEUED) this.#queued.push(body);
    else this.#onDropped();
  }

  async #postAll(first: string): Promise<void> {
    this.#inFlightCount += 1;
    for (let body: string | undefined = first; body !== undefined; body = this.#queued.shift()) await this.#post(body);
    this.#inFlightCount -= 1;
  }
}

const MAX_REQUESTS = 1_024;
const WINDOW_MS = 10_000;

/** Counts the requests of a server on a stream that belongs to no call. */
export class RequestRate {
  #count = 0;
  #window: NodeJS.Timeout | undefined;

  /** True after more than 1,024 requests within ten seconds, until those seconds are over. */
  get isExceeded(): boolean {
    return this.#count > MAX_REQUESTS;
  }

  record(): void {
    this.#count += 1;
    if (this.#window !== undefined) return;
    this.#window = setTimeout(() => {
      this.#count = 0;
      this.#window = undefined;
    }, WINDOW_MS);
    this.#window.unref();
  }
}
