import type { ServerResponse } from 'node:http';

/** One open stream of server-sent events to one client. */
export interface SseStream {
  /** Writes one JSON text as one event; false where it cannot be. A client that does not read is cut off. */
  send(json: string): boolean;
  end(): void;
}

export interface SseStreamOptions {
  /** False once the principal's proof no longer holds; the stream then ends. Asked before every write. */
  readonly isStillAuthenticated: () => boolean;
  /** Runs once, however the stream ended. */
  readonly onClose: () => void;
  /** The last event of a stream that we end ourselves while stopping. */
  readonly closeEvent?: () => string;
  readonly headers?: Readonly<Record<string, string>>;
}

const HEARTBEAT_MS = 15_000;
/** More than a server tells in one turn of the event loop, in which nobody can read: 64 KB of small messages, dressed anew. */
const MAX_BUFFERED_BYTES = 262_144;

/** All open event streams of one server, with one heartbeat for all of them. */
export class SseStreams {
  readonly #streams = new Map<ServerResponse, SseStreamOptions>();
  readonly #heartbeat: NodeJS.Timeout;

  constructor() {
    this.#heartbeat = setInterval(() => this.#sendHeartbeat(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  get size(): number {
    return this.#streams.size;
  }

  open(response: ServerResponse, options: SseStreamOptions): SseStream {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      ...options.headers,
    });
    response.flushHeaders();
    this.#streams.set(response, options);
    response.on('close', () => {
      if (this.#streams.delete(response)) options.onClose();
    });
    return {
      send: (json) => this.#write(response, `event: message\ndata: ${json}\n\n`),
      end: () => {
        response.end();
      },
    };
  }

  /** Ends every stream, each with its farewell. */
  close(): void {
    clearInterval(this.#heartbeat);
    for (const [response, { closeEvent }] of [...this.#streams]) {
      if (closeEvent) this.#write(response, `event: message\ndata: ${closeEvent()}\n\n`);
      response.end();
    }
  }

  #sendHeartbeat(): void {
    for (const response of [...this.#streams.keys()]) this.#write(response, ': still here\n\n');
  }

  #write(response: ServerResponse, frame: string): boolean {
    const options = this.#streams.get(response);
    // A write to a destroyed response would be an error event that nobody hears.
    if (!options || response.writableEnded || response.destroyed) return false;
    if (!options.isStillAuthenticated()) response.end();
    else if (response.writableLength > MAX_BUFFERED_BYTES) response.destroy();
    else {
      response.write(frame);
      return true;
    }
    return false;
  }
}
