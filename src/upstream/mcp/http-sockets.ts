import { createRequire } from 'node:module';
import type { Pool as UndiciPool } from 'undici';

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
