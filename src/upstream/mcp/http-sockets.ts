import { createRequire } from 'node:module';
import type { Pool as UndiciPool } from 'undici';

// The whole of undici is five times the files, most of them for a `fetch` that Node has already: a tenth of a start.
const Pool = createRequire(import.meta.url)('undici/lib/dispatcher/pool.js') as typeof UndiciPool; // untyped

/** Calls beyond it wait for a socket, each for as long as its own deadline. */
const MOST_CALLS = 256;
/** Answers to a server's requests and notifications: calls that wait for an answer must not keep it from being posted. */
const MOST_ASIDES = 16;

/**
 * The sockets of one HTTP server, which its sessions share. Streams that stand for as long as their session, one or two
 * of each, have sockets of their own, so that many sessions take no room from calls.
 */
export class HttpSockets {
  readonly calls: UndiciPool;
  readonly asides: UndiciPool;
  readonly streams: UndiciPool;

  constructor(origin: string, { connectTimeoutMs }: { readonly connectTimeoutMs: number }) {
    const common = { allowH2: false, connect: { timeout: connectTimeoutMs } };
    this.calls = new Pool(origin, { ...common, connections: MOST_CALLS });
    this.asides = new Pool(origin, { ...common, connections: MOST_ASIDES });
    this.streams = new Pool(origin, common);
  }

  async destroy(): Promise<void> {
    await Promise.all([this.calls.destroy(), this.asides.destroy(), this.streams.destroy()]);
  }
}
