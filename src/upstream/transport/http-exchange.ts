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
/** Limits of an event stream after its response; beyond them the socket is closed. */
const AFTER_RESPONSE = { bytes: 64 * 1024, ms: 1_000 } as const;
/** Bytes of the events of one response, beyond the limit of the response itself. */
const EVENT_OVERHEAD_BYTES = 1024 * 1024;
/** Limit of a whole stream with its notifications, as a multiple of the response's limit: a flood costs time, if no memory. */
const STREAM_FACTOR = 128;

export interface HttpExchangeEvents {
  onHeaders?(headers: Readonly<Record<string, string | string[] | undefined>>): void;
  /** A request or notification of the server, on the event stream of this exchange. */
  onServerMessage(message: IncomingMessage, listeners: PendingListeners): void;
  onDropped(): void;
  /** The request was sent and is abandoned before its response. */
  onAbandoned(id: number, reason: 'timeout' | 'cancelled'): void;
  /** The stream ended before the response; `exchange` waits to resume it. */
  onInterrupted?(id: number, exchange: HttpExchange): void;
  /** Requests the events after `lastEventId` for `exchange`. Without this method a request whose stream ends is lost. */
  resume?(id: number, exchange: HttpExchange, lastEventId: string): void;
  /** The response has come, or none will. */
  onSettled(id: number): void;
}

type Body = 'json' | 'events' | 'error' | 'drained';

/**
 * One POST and its response. The body is counted while it streams and joined once. Messages on its stream before the
 * response belong to this request alone (Streamable HTTP, "Sending Messages to the Server"), as do those on the GET
 * streams that resume it.
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
  /** Bytes of the event stream, notifications included. */
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

  /** True if silence is expected: a server that waits for an agent's input response may be silent for long. */
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
    // Abandoned while it waited for a connection: nothing is written after this.
    if (this.#settled) controller.abort(new Error('abandoned'));
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
    else if (headers['content-encoding'] !== undefined) {
      this.#fail('protocol', 'the response is compressed, which was not requested');
    } else if (type.startsWith('application/json')) this.#body = 'json';
    else if (isEventStream(status, type)) this.#openEvents();
    else this.#fail('protocol', `the response is neither JSON nor an event stream (HTTP ${status})`);
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
    else if (this.#body === 'events') this.#resumeOrFail('the event stream ended without a response');
    else this.#settleByMessage(this.#readBody());
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#lingering);
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
    if (code === 'UND_ERR_BODY_TIMEOUT') this.#abandon('timeout', 'the response began and then stalled');
    if (this.#controller !== undefined) this.#resumeOrFail(`the connection broke: ${code}`);
    else this.#settle(failedResponse('unavailable', false, `the server cannot be reached: ${code}`));
  }

  /** Fails the request, because its response can no longer come. */
  failAsLost(reason: string): void {
    this.#settle(failedResponse('lost', true, reason));
  }

  /** Resumes a stream that ended before the response, if the server sent an event id; else fails the request. */
  #resumeOrFail(reason: string): void {
    if (this.#settled) return;
    const reader = this.#body === 'events' ? this.#reader : undefined;
    this.#body = 'drained';
    this.#reader = undefined;
    if (reader === undefined || this.#resumption?.resume(reader) !== true) this.failAsLost(reason);
    else this.#events.onInterrupted?.(this.#id, this);
  }

  #failResumption(status: number): void {
    // Streamable HTTP 2025-11-25, "Session management": 404 means that the session has ended.
    const failure = status === 404 ? 'session-lost' : 'lost';
    this.#fail(failure, `the event stream ended without a response and cannot be resumed (HTTP ${status})`);
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
      // A notification is passed on or dropped at once and holds no memory.
      if (message.kind === 'notification') this.#bytes = 0;
      this.#events.onServerMessage(message, this);
    } else {
      this.#settleByMessage(message);
    }
  }

  /** Drops a notification that no listener wants, without parsing it. */
  #skipsUnwanted(data: Buffer): boolean {
    const { listener } = this.#options;
    if (this.#settled || (listener !== undefined && listener.isFull !== true)) return false;
    const kind = peekNotification(data);
    if (kind === undefined) return false;
    this.#bytes = 0;
    // Many servers send log messages unrequested, so these do not count as dropped.
    if (kind === 'progress' || listener !== undefined) this.#events.onDropped();
    return true;
  }

  #settleByMessage(message: IncomingMessage): void {
    if (message.kind === 'response' && message.id === this.#id) this.#settle(message.response);
    else if (message.kind === 'invalid') this.#settle(failedResponse('protocol', true, message.problem));
    else this.#settle(failedResponse('protocol', true, 'the response has the id of another request'));
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
    message = reason === 'timeout' ? 'no response came in time' : 'the call was cancelled',
  ): void {
    if (this.#settled) return;
    this.#fail(reason, message);
    if (this.#controller !== undefined) this.#events.onAbandoned(this.#id, reason);
  }

  #failEndless(): void {
    this.#fail('too-large', 'too many messages came before the result');
  }

  #failTooLarge(): void {
    this.#fail('too-large', `the result is over ${this.#options.maxBytes} bytes`);
  }

  #fail(failure: FailureKind, message: string): void {
    this.#settle(failedResponse(failure, this.#controller !== undefined, message));
    this.#abort();
  }

  /** Gives the stream a second to end, so that its socket can be reused. */
  #linger(): void {
    this.#bytes = 0;
    this.#lingering ??= setTimeout(() => this.#abort(), AFTER_RESPONSE.ms);
  }

  #abort(): void {
    clearTimeout(this.#lingering);
    this.#controller?.abort(new Error('abandoned'));
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
