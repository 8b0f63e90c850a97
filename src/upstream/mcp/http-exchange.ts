import type { Dispatcher } from 'undici';
import { Pieces } from '../../lib/pieces.ts';
import { type Answer, type FailureKind, failedAnswer, type RequestListener, type RequestOptions } from './channel.ts';
import { EventStreamReader } from './event-stream-reader.ts';
import { type Hearers, noticeIn } from './hearers.ts';
import { answerOfStatus } from './http-status.ts';
import { type IncomingMessage, readIncomingMessage } from './incoming-message.ts';
import { abortKind, RequestDeadline } from './request-deadline.ts';
import { StreamResumption } from './stream-resumption.ts';

const MAX_ERROR_BODY_BYTES = 64 * 1024;
/** What may still come after the answer on an event stream before its socket is given up. */
const AFTER_ANSWER = { bytes: 64 * 1024, ms: 1_000 } as const;
/** All events of one answer together: the answer itself, and this much of what surrounds it. */
const SURROUNDING_BYTES = 1024 * 1024;
/** All that one stream may bring, notifications too, for each byte that its answer may have: a flood costs time, if no room. */
const STREAM_FACTOR = 128;

export interface HttpExchangeEvents {
  onHeaders?(headers: Readonly<Record<string, string | string[] | undefined>>): void;
  /** A request or notification of the server, within the event stream of our request. */
  onServerMessage(message: IncomingMessage, hearers: Hearers): void;
  onDropped(): void;
  /** The request was sent and is given up before its answer. */
  onGivenUp(id: number, why: 'timeout' | 'cancelled'): void;
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
export class HttpExchange implements Dispatcher.DispatchHandler, Hearers {
  readonly answer: Promise<Answer>;
  readonly #id: number;
  readonly #options: RequestOptions;
  readonly #events: HttpExchangeEvents;
  readonly #deadline: RequestDeadline;
  #resolve: (answer: Answer) => void = () => {};
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #body: Body = 'drained';
  readonly #chunks = new Pieces();
  #bytes = 0;
  /** Of the event stream, whatever it was. */
  #streamBytes = 0;
  #reader: EventStreamReader | undefined;
  #resumption: StreamResumption | undefined;
  #settled = false;
  #lingering: NodeJS.Timeout | undefined;

  constructor(id: number, options: RequestOptions, events: HttpExchangeEvents) {
    this.#id = id;
    this.#options = options;
    this.#events = events;
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#deadline = new RequestDeadline(options, (why) => this.#giveUp(why));
    if (options.signal.aborted) this.#giveUp(abortKind(options.signal));
  }

  /** True where silence is no sign of trouble: a server that waits for an answer of the agent's may well be silent. */
  get mayBeSilent(): boolean {
    return this.isOpenEnded || this.#options.listener?.onRequest !== undefined;
  }

  get isOpenEnded(): boolean {
    return this.#options.isOpenEnded === true;
  }

  get hasSole(): boolean {
    return true;
  }

  get soleListener(): RequestListener | undefined {
    return this.#options.listener;
  }

  listenerOf(id: number): RequestListener | undefined {
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
    if (this.#resumption?.hasBegun === true && !isEventStream(status, type)) this.#breakResumption(status);
    else if (status >= 300) this.#body = 'error';
    else if (headers['content-encoding'] !== undefined) this.#break('protocol', 'the answer is compressed, unasked');
    else if (type.startsWith('application/json')) this.#body = 'json';
    else if (isEventStream(status, type)) this.#openEvents();
    else this.#break('protocol', `the answer is neither JSON nor an event stream (HTTP ${status})`);
    if (this.#body === 'json' && Number(headers['content-length']) > this.#options.maxBytes) this.#breakTooLarge();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#settled) {
      if (this.#bytes > AFTER_ANSWER.bytes) this.#abort();
      else if (this.#body === 'events') this.#reader?.push(chunk);
      return;
    }
    if (this.#body === 'events') {
      this.#readEvents(chunk);
      this.#reader?.rest(controller);
    } else if (this.#body === 'error') {
      if (this.#bytes <= MAX_ERROR_BODY_BYTES) this.#chunks.push(chunk);
      else this.#settleByStatus();
    } else if (this.#bytes > this.#options.maxBytes) {
      this.#breakTooLarge();
    } else {
      this.#chunks.push(chunk);
    }
  }

  onResponseEnd(): void {
    clearTimeout(this.#lingering);
    if (this.#settled) return;
    if (this.#body === 'error') this.#settleByStatus();
    else if (this.#body === 'events') this.#goOn('the event stream ended without an answer');
    else this.#settleByMessage(this.#collected(), 'the answer has an id that is not ours');
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#lingering);
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
    if (code === 'UND_ERR_BODY_TIMEOUT') this.#giveUp('timeout', 'the answer began and did not go on');
    if (this.#controller !== undefined) this.#goOn(`the connection broke: ${code}`);
    else this.#settle(failedAnswer('unavailable', false, `the server cannot be reached: ${code}`));
  }

  /** Ends the wait for an answer that cannot come any more. */
  lose(why: string): void {
    this.#settle(failedAnswer('lost', true, why));
  }

  /** Goes on with the answer where the server said how, once its stream is over. */
  #goOn(over: string): void {
    if (this.#settled) return;
    const reader = this.#body === 'events' ? this.#reader : undefined;
    this.#body = 'drained';
    this.#reader = undefined;
    if (reader === undefined || this.#resumption?.goOn(reader) !== true) this.lose(over);
    else this.#events.onInterrupted?.(this.#id, this);
  }

  #breakResumption(status: number): void {
    // Streamable HTTP 2025-11-25, "Session management": 404 says that the session is over.
    const why = status === 404 ? 'session-lost' : 'lost';
    this.#break(why, `the event stream ended without an answer, and the server does not go on (HTTP ${status})`);
  }

  #openEvents(): void {
    this.#body = 'events';
    this.#reader = new EventStreamReader(this.#options.maxBytes, (data) => this.#onEvent(data));
    if (this.#events.resume === undefined) return;
    this.#resumption ??= new StreamResumption((lastEventId) => this.#events.resume?.(this.#id, this, lastEventId));
  }

  #readEvents(chunk: Buffer): void {
    const fits = this.#reader?.push(chunk) === true;
    const { maxBytes } = this.#options;
    this.#streamBytes += chunk.length;
    if (this.#settled) this.#linger();
    else if (!fits || this.#bytes > maxBytes + SURROUNDING_BYTES) this.#breakTooLarge();
    else if (this.#streamBytes > maxBytes * STREAM_FACTOR + SURROUNDING_BYTES) this.#breakEndless();
  }

  #onEvent(data: Buffer): void {
    if (this.#isUnheard(data)) return;
    const message = readIncomingMessage(data, this.#options.maxBytes);
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
  #isUnheard(data: Buffer): boolean {
    const { listener } = this.#options;
    if (this.#settled || (listener !== undefined && listener.isFull !== true)) return false;
    const notice = noticeIn(data);
    if (notice === undefined) return false;
    this.#bytes = 0;
    // A log message that its agent did not ask for is the server's habit and no sign of trouble.
    if (notice === 'progress' || listener !== undefined) this.#events.onDropped();
    return true;
  }

  #settleByMessage(message: IncomingMessage, otherwise: string): void {
    if (message.kind === 'answer' && message.id === this.#id) this.#settle(message.answer);
    else if (message.kind === 'invalid') this.#settle(failedAnswer('protocol', true, message.problem));
    else this.#settle(failedAnswer('protocol', true, otherwise));
  }

  #settleByStatus(): void {
    const message = this.#bytes > MAX_ERROR_BODY_BYTES ? undefined : this.#collected();
    this.#settle(answerOfStatus(this.#status, message, this.#id));
  }

  #collected(): IncomingMessage {
    return readIncomingMessage(this.#chunks.take(), this.#options.maxBytes);
  }

  #giveUp(
    why: 'timeout' | 'cancelled',
    message = why === 'timeout' ? 'no answer came in time' : 'the call was cancelled',
  ): void {
    if (this.#settled) return;
    this.#break(why, message);
    if (this.#controller !== undefined) this.#events.onGivenUp(this.#id, why);
  }

  #breakEndless(): void {
    this.#break('too-large', 'the messages before the result do not end');
  }

  #breakTooLarge(): void {
    this.#break('too-large', `the result is over ${this.#options.maxBytes} bytes`);
  }

  #break(why: FailureKind, message: string): void {
    this.#settle(failedAnswer(why, this.#controller !== undefined, message));
    this.#abort();
  }

  /** Gives the stream the chance to end, so that its socket can serve again; not for long. */
  #linger(): void {
    this.#bytes = 0;
    this.#lingering ??= setTimeout(() => this.#abort(), AFTER_ANSWER.ms);
  }

  #abort(): void {
    clearTimeout(this.#lingering);
    this.#controller?.abort(new Error('given up'));
  }

  #settle(answer: Answer): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#chunks.take();
    this.#deadline.clear();
    this.#resumption?.end();
    this.#events.onSettled(this.#id);
    this.#resolve(answer);
  }
}

function isEventStream(status: number, type: string): boolean {
  return status < 300 && type.startsWith('text/event-stream');
}
