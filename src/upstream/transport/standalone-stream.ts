import type { Dispatcher, Pool } from 'undici';
import { type IncomingMessage, parseMessage } from '../protocol/parse-message.ts';
import { RequestRate } from './http-client.ts';
import { SseParser } from './sse-parser.ts';

const MAX_EVENT_BYTES = 1024 * 1024;
const RETRY_MS = { first: 1_000, last: 60_000 } as const;

export interface StandaloneStreamOptions {
  readonly pool: Pool;
  readonly path: string;
  readonly headers: readonly string[];
  onMessage(message: IncomingMessage): void;
  onDropped(): void;
  /** The server refuses a stream that it had opened before: it no longer knows the session. */
  onSessionLost(): void;
}

/** The GET stream of a legacy session, for notifications that belong to no request. Optional for servers. */
export class StandaloneStream {
  readonly #options: StandaloneStreamOptions;
  #controller: Dispatcher.DispatchController | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs: number = RETRY_MS.first;
  #closed = false;
  #wasOpen = false;
  readonly #rate = new RequestRate();

  constructor(options: StandaloneStreamOptions) {
    this.#options = options;
  }

  open(): void {
    const reader = new SseParser(MAX_EVENT_BYTES, (data) => this.#onMessage(parseMessage(data, MAX_EVENT_BYTES)));
    const headers = eventStreamHeaders(this.#options.headers);
    this.#options.pool.dispatch(
      { method: 'GET', path: this.#options.path, headers, headersTimeout: 0, bodyTimeout: 0 },
      {
        onRequestStart: (controller) => {
          this.#controller = controller;
          if (this.#closed) controller.abort(new Error('closed'));
        },
        onResponseStart: (controller, status, { 'content-type': type }) => {
          // 405: the server has no such stream. Other refusals are ignored too: calls will show the same problem.
          if (status === 200 && String(type).startsWith('text/event-stream')) {
            if (!this.#rate.isExceeded) this.#retryMs = RETRY_MS.first;
            this.#wasOpen = true;
          } else {
            this.#closed = true;
            if (this.#wasOpen && (status === 404 || status === 400)) this.#options.onSessionLost();
          }
          if (this.#closed) controller.abort(new Error('no stream'));
        },
        onResponseData: (controller, chunk) => {
          if (!reader.push(chunk)) controller.abort(new Error('an event is too large'));
          else if (this.#rate.isExceeded) controller.abort(new Error('too many requests'));
          else reader.yieldToEventLoop(controller);
        },
        onResponseEnd: () => this.#reopen(),
        onResponseError: () => this.#reopen(),
      },
    );
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#controller?.abort(new Error('closed'));
  }

  /** A server with too many requests is disconnected for a while, each time for longer. */
  #onMessage(message: IncomingMessage): void {
    if (message.kind === 'request') this.#rate.record();
    if (message.kind === 'request' && this.#rate.isExceeded) this.#options.onDropped();
    else this.#options.onMessage(message);
  }

  #reopen(): void {
    if (this.#closed) return;
    this.#retry = setTimeout(() => this.open(), this.#retryMs);
    this.#retry.unref();
    this.#retryMs = Math.min(RETRY_MS.last, this.#retryMs * 2);
  }
}

/** Turns the header fields of a POST into those of a GET that accepts only an event stream. */
export function eventStreamHeaders(headers: readonly string[]): string[] {
  return headers.map((text) => (text.startsWith('application/json,') ? 'text/event-stream' : text));
}
