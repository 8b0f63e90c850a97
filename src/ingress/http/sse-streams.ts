import type { ServerResponse } from 'node:http';

/** An open stream of server-sent events to one client. */
export interface SseStream {
  /** Writes one JSON text as one event. Returns false if it was not written. A client that does not read is disconnected. */
  send(json: string): boolean;
  end(): void;
}

export interface SseStreamOptions {
  /** Called before every write. False if the credentials of the request no longer identify its principal: the stream ends. */
  readonly isStillAuthenticated: () => boolean;
  /** Called once when the stream has ended. */
  readonly onClose: () => void;
  /** Returns the last event of a stream that ends because the broker stops. */
  readonly closeEvent?: () => string;
  readonly headers?: Readonly<Record<string, string>>;
}

const HEARTBEAT_MS = 15_000;
/** Larger than the notifications of one turn of the event loop, during which no client can read: 64 KB as sent, rewritten. */
const MAX_BUFFERED_BYTES = 262_144;

/** Headers of a response that is an event stream. */
export const SSE_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
} as const;

/** Encodes one JSON text as one event. */
export function encodeSseEvent(json: string): string {
  return `event: message\ndata: ${json}\n\n`;
}

/** The open event streams of one server, with one heartbeat timer for all of them. */
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
    response.writeHead(200, { ...SSE_HEADERS, ...options.headers });
    response.flushHeaders();
    this.#streams.set(response, options);
    response.on('close', () => {
      if (this.#streams.delete(response)) options.onClose();
    });
    return {
      send: (json) => this.#write(response, encodeSseEvent(json)),
      end: () => {
        response.end();
      },
    };
  }

  /** Ends every stream, after its close event if it has one. */
  close(): void {
    clearInterval(this.#heartbeat);
    for (const [response, { closeEvent }] of [...this.#streams]) {
      if (closeEvent) this.#write(response, encodeSseEvent(closeEvent()));
      response.end();
    }
  }

  #sendHeartbeat(): void {
    for (const response of [...this.#streams.keys()]) this.#write(response, ': still here\n\n');
  }

  #write(response: ServerResponse, frame: string): boolean {
    const options = this.#streams.get(response);
    // Writing to a destroyed response would emit an unhandled `error` event.
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
