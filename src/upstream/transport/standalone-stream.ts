import type { Dispatcher, Pool } from 'undici';
import { type IncomingMessage, parseMessage } from '../protocol/parse-message.ts';
import { RequestRate } from './request-rate.ts';
import { SseParser } from './sse-parser.ts';

const MAX_EVENT_BYTES = 1024 * 1024;
const RETRY_MS = { first: 1_000, last: 60_000 } as const;

export interface StandaloneStreamOptions {
  readonly pool: Pool;
  readonly path: string;
  readonly headers: readonly string[];
  onMessage(message: IncomingMessage): void;
  onDropped(): void;
  /** A stream that there was is refused now: the server knows the session no more. */
  onSessionLost(): void;
}

/** The GET stream of a legacy session, on which a server says unasked that its tools changed. Optional for servers. */
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
          // 405: the server has no such stream. Any other refusal is left alone too: calls will tell.
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

  /** A server that asks without end is not heard for a while, each time a longer one. */
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

/** Those of a POST, as those of a GET that accepts an event stream alone. */
export function eventStreamHeaders(headers: readonly string[]): string[] {
  return headers.map((text) => (text.startsWith('application/json,') ? 'text/event-stream' : text));
}
