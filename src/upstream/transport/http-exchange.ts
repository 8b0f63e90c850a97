import type { Dispatcher } from 'undici';
import { ByteBuffer } from '../../lib/byte-buffer.ts';
import { responseForHttpStatus } from '../protocol/http-status.ts';
import { type IncomingMessage, parseMessage } from '../protocol/parse-message.ts';
import { abortReason, RequestDeadline } from '../protocol/request-deadline.ts';
import { type PendingListeners, peekNotification } from '../protocol/route-message.ts';
import {
  type FailureKind,
  failedResponse,
  type MessageListener,
  type RequestOptions,
  type Response,
} from '../protocol/transport.ts';
import { SseParser, StreamResumption } from './sse-parser.ts';

const MAX_ERROR_BODY_BYTES = 64 * 1024;
/** What may still come after the answer on an event stream before its socket is given up. */
const AFTER_RESPONSE = { bytes: 64 * 1024, ms: 1_000 } as const;
/** All events of one answer together: the answer itself, and this much of what surrounds it. */
const EVENT_OVERHEAD_BYTES = 1024 * 1024;
/** All that one stream may bring, notifications too, for each byte that its answer may have: a flood costs time, if no room. */
const STREAM_FACTOR = 128;

export interface HttpExchangeEvents {
  onHeaders?(headers: Readonly<Record<string, string | string[] | undefined>>): void;
  /** A request or notification of the server, within the event stream of our request. */
  onServerMessage(message: IncomingMessage, listeners: PendingListeners): void;
  onDropped(): void;
  /** The request was sent and is given up before its answer. */
  onAbandoned(id: number, reason: 'timeout' | 'cancelled'): void;
  /** The stream of `exchange` ended before the answer, and it waits for the time to go on. */
  onInterrupted?(id: number, exchange: HttpExchange): void;
  /** Asks for what follows an event on the stream of `exchange`, which takes it up. Without it a stream that ended is a lost request. */
  resume?(id: number, exchange: HttpExchange, lastEventId: string): void;
  /** The answer is there, or none will come. */
  onSettled(id: number): void;
}

type Body = 'json' | 'events' | 'error' | 'drained';

/**
 * One POST and its answer: the body is counted while it streams and collected once. What comes on its stream before the
 * answer belongs to it alone (Streamable HTTP, "Sending Messages to the Server"), and so does what comes on the streams of
 * GET that go on with it.
 */
export class HttpExchange implements Dispatcher.DispatchHandler, PendingListeners {
  readonly response: Promise<Response>;
  readonly #id: number;
  readonly #options: RequestOptions;
  readonly #events: HttpExchangeEvents;
  readonly #deadline: RequestDeadline;
  #resolve: (response: Response) => void = () => {};
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #body: Body = 'drained';
  readonly #chunks = new ByteBuffer();
  #bytes = 0;
  /** Of the event stream, whatever it was. */
  #streamBytes = 0;
  #reader: SseParser | undefined;
  #resumption: StreamResumption | undefined;
  #settled = false;
  #lingering: NodeJS.Timeout | undefined;

  constructor(id: number, options: RequestOptions, events: HttpExchangeEvents) {
    this.#id = id;
    this.#options = options;
    this.#events = events;
    this.response = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#deadline = new RequestDeadline(options, (reason) => this.#abandon(reason));
    if (options.signal.aborted) this.#abandon(abortReason(options.signal));
  }

  /** True where silence is no sign of trouble: a server that waits for an answer of the agent's may well be silent. */
  get mayBeSilent(): boolean {
    return this.isOpenEnded || this.#options.listener?.onRequest !== undefined;
  }

  get isOpenEnded(): boolean {
    return this.#options.isOpenEnded === true;
  }

  get hasSoleRequest(): boolean {
    return true;
  }

  get soleListener(): MessageListener | undefined {
    return this.#options.listener;
  }

  listenerOf(id: number): MessageListener | undefined {
    return id === this.#id ? this.#options.listener : undefined;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Given up while it waited for a connection: nothing is written after this.
    if (this.#settled) controller.abort(new Error('given up'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (status < 200) return;
    this.#status = status;
    if (this.#settled) return;
    this.#events.onHeaders?.(headers);
    const type = String(headers['content-type'] ?? '').toLowerCase();
    if (this.#resumption?.hasBegun === true && !isEventStream(status, type)) this.#failResumption(status);
    else if (status >= 300) this.#body = 'error';
    else if (headers['content-encoding'] !== undefined) this.#fail('protocol', 'the answer is compressed, unasked');
    else if (type.startsWith('application/json')) this.#body = 'json';
    else if (isEventStream(status, type)) this.#openEvents();
    else this.#fail('protocol', `the answer is neither JSON nor an event stream (HTTP ${status})`);
    if (this.#body === 'json' && Number(headers['content-length']) > this.#options.maxBytes) this.#failTooLarge();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#settled) {
      if (this.#bytes > AFTER_RESPONSE.bytes) this.#abort();
      else if (this.#body === 'events') this.#reader?.push(chunk);
      return;
    }
    if (this.#body === 'events') {
      this.#readEvents(chunk);
      this.#reader?.yieldToEventLoop(controller);
    } else if (this.#body === 'error') {
      if (this.#bytes <= MAX_ERROR_BODY_BYTES) this.#chunks.push(chunk);
      else this.#settleByStatus();
    } else if (this.#bytes > this.#options.maxBytes) {
      this.#failTooLarge();
    } else {
      this.#chunks.push(chunk);
    }
  }

  onResponseEnd(): void {
    clearTimeout(this.#lingering);
    if (this.#settled) return;
    if (this.#body === 'error') this.#settleByStatus();
    else if (this.#body === 'events') this.#resumeOrFail('the event stream ended without an answer');
    else this.#settleByMessage(this.#readBody(), 'the answer has an id that is not ours');
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#lingering);
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
    if (code === 'UND_ERR_BODY_TIMEOUT') this.#abandon('timeout', 'the answer began and did not go on');
    if (this.#controller !== undefined) this.#resumeOrFail(`the connection broke: ${code}`);
    else this.#settle(failedResponse('unavailable', false, `the server cannot be reached: ${code}`));
  }

  /** Ends the wait for an answer that cannot come any more. */
  failAsLost(reason: string): void {
    this.#settle(failedResponse('lost', true, reason));
  }

  /** Goes on with the answer where the server said how, once its stream is over. */
  #resumeOrFail(reason: string): void {
    if (this.#settled) return;
    const reader = this.#body === 'events' ? this.#reader : undefined;
    this.#body = 'drained';
    this.#reader = undefined;
    if (reader === undefined || this.#resumption?.resume(reader) !== true) this.failAsLost(reason);
    else this.#events.onInterrupted?.(this.#id, this);
  }

  #failResumption(status: number): void {
    // Streamable HTTP 2025-11-25, "Session management": 404 says that the session is over.
    const failure = status === 404 ? 'session-lost' : 'lost';
    this.#fail(failure, `the event stream ended without an answer, and the server does not go on (HTTP ${status})`);
  }

  #openEvents(): void {
    this.#body = 'events';
    this.#reader = new SseParser(this.#options.maxBytes, (data) => this.#onEvent(data));
    if (this.#events.resume === undefined) return;
    this.#resumption ??= new StreamResumption((lastEventId) => this.#events.resume?.(this.#id, this, lastEventId));
  }

  #readEvents(chunk: Buffer): void {
    const fits = this.#reader?.push(chunk) === true;
    const { maxBytes } = this.#options;
    this.#streamBytes += chunk.length;
    if (this.#settled) this.#linger();
    else if (!fits || this.#bytes > maxBytes + EVENT_OVERHEAD_BYTES) this.#failTooLarge();
    else if (this.#streamBytes > maxBytes * STREAM_FACTOR + EVENT_OVERHEAD_BYTES) this.#failEndless();
  }

  #onEvent(data: Buffer): void {
    if (this.#skipsUnwanted(data)) return;
    const message = parseMessage(data, this.#options.maxBytes);
    if (this.#settled) {
      this.#events.onDropped();
    } else if (message.kind === 'request' || message.kind === 'notification') {
      // A notification is handed on or dropped and takes no room.
      if (message.kind === 'notification') this.#bytes = 0;
      this.#events.onServerMessage(message, this);
    } else {
      this.#settleByMessage(message, 'the answer has an id that is not ours');
    }
  }

  /** Drops what nobody is told of, unread. */
  #skipsUnwanted(data: Buffer): boolean {
    const { listener } = this.#options;
    if (this.#settled || (listener !== undefined && listener.isFull !== true)) return false;
    const kind = peekNotification(data);
    if (kind === undefined) return false;
    this.#bytes = 0;
    // A log message that its agent did not ask for is the server's habit and no sign of trouble.
    if (kind === 'progress' || listener !== undefined) this.#events.onDropped();
    return true;
  }

  #settleByMessage(message: IncomingMessage, mismatchMessage: string): void {
    if (message.kind === 'response' && message.id === this.#id) this.#settle(message.response);
    else if (message.kind === 'invalid') this.#settle(failedResponse('protocol', true, message.problem));
    else this.#settle(failedResponse('protocol', true, mismatchMessage));
  }

  #settleByStatus(): void {
    const message = this.#bytes > MAX_ERROR_BODY_BYTES ? undefined : this.#readBody();
    this.#settle(responseForHttpStatus(this.#status, message, this.#id));
  }

  #readBody(): IncomingMessage {
    return parseMessage(this.#chunks.take(), this.#options.maxBytes);
  }

  #abandon(
    reason: 'timeout' | 'cancelled',
    message = reason === 'timeout' ? 'no answer came in time' : 'the call was cancelled',
  ): void {
    if (this.#settled) return;
    this.#fail(reason, message);
    if (this.#controller !== undefined) this.#events.onAbandoned(this.#id, reason);
  }

  #failEndless(): void {
    this.#fail('too-large', 'the messages before the result do not end');
  }

  #failTooLarge(): void {
    this.#fail('too-large', `the result is over ${this.#options.maxBytes} bytes`);
  }

  #fail(failure: FailureKind, message: string): void {
    this.#settle(failedResponse(failure, this.#controller !== undefined, message));
    this.#abort();
  }

  /** Gives the stream the chance to end, so that its socket can serve again; not for long. */
  #linger(): void {
    this.#bytes = 0;
    this.#lingering ??= setTimeout(() => this.#abort(), AFTER_RESPONSE.ms);
  }

  #abort(): void {
    clearTimeout(this.#lingering);
    this.#controller?.abort(new Error('given up'));
  }

  #settle(response: Response): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#chunks.take();
    this.#deadline.clear();
    this.#resumption?.end();
    this.#events.onSettled(this.#id);
    this.#resolve(response);
  }
}

function isEventStream(status: number, type: string): boolean {
  return status < 300 && type.startsWith('text/event-stream');
}
