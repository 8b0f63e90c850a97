import type { Dispatcher } from 'undici';
import type { JsonObject } from '../../lib/json.ts';
import { AsideQueue } from './aside-queue.ts';
import {
  type Answer,
  type Channel,
  type ChannelEvents,
  failedAnswer,
  type RequestOptions,
  type ServerAnswer,
} from './channel.ts';
import { EventStreamReader } from './event-stream-reader.ts';
import { hearNotification, hearRequest } from './hearers.ts';
import { postAndForget } from './http-post.ts';
import type { HttpSockets } from './http-sockets.ts';
import { answerOfStatus } from './http-status.ts';
import { type IncomingMessage, readIncomingMessage } from './incoming-message.ts';
import { answerText, type ClientInfo, notificationText, paramsText, requestText, withWishes } from './message-dress.ts';
import { PendingRequests } from './pending-requests.ts';
import { abortKind } from './request-deadline.ts';
import { RequestRate } from './request-rate.ts';

export interface SseChannelOptions {
  readonly sockets: HttpSockets;
  readonly url: URL;
  /** The registry's header fields, secrets resolved. */
  readonly headers: Readonly<Record<string, string>>;
  readonly clientInfo: ClientInfo;
  /** Largest event in bytes that is read. */
  readonly maxEventBytes: number;
  /** True where several principals share the session. */
  readonly isShared: boolean;
  readonly events: ChannelEvents;
}

/**
 * MCP over the HTTP+SSE transport of 2024-11-05: one event stream brings everything, and its first event, `endpoint`,
 * names where requests are posted. The endpoint must be of the same origin, or a server could send our requests, and
 * the secrets in their headers, anywhere.
 */
export class SseChannel implements Channel {
  readonly transport = 'sse';
  readonly #options: SseChannelOptions;
  readonly #pending: PendingRequests;
  readonly #headers: readonly string[];
  readonly #endpoint: Promise<string | undefined>;
  #tellEndpoint: (path: string | undefined) => void = () => {};
  #path: string | undefined;
  #stream: Dispatcher.DispatchController | undefined;
  #ended: string | undefined;
  #closing = false;
  readonly #rate = new RequestRate();
  readonly #asides = new AsideQueue(
    (body) => this.#postAside(body),
    () => this.#options.events.onDropped(),
  );

  constructor(options: SseChannelOptions) {
    this.#options = options;
    this.#pending = new PendingRequests(options);
    this.#headers = Object.entries(options.headers).flatMap(([name, value]) => [name.toLowerCase(), value]);
    this.#endpoint = new Promise((resolve) => {
      this.#tellEndpoint = resolve;
    });
    this.#open();
  }

  get ended(): string | undefined {
    return this.#ended;
  }

  speak(): void {
    // One era and one revision: this transport was replaced in 2025-03-26.
  }

  listen(): void {
    // The one stream brings notifications too.
  }

  request(method: string, params: JsonObject, options: RequestOptions): Promise<Answer> {
    if (this.#ended !== undefined) return Promise.resolve(failedAnswer('lost', false, this.#ended));
    if (options.signal.aborted) {
      return Promise.resolve(failedAnswer(abortKind(options.signal), false, 'the call was over before it was sent'));
    }
    const id = this.#pending.nextId();
    const answer = this.#pending.wait(id, options, (why) => {
      // The specification forbids cancelling `initialize`.
      if (method !== 'initialize') void this.notify('notifications/cancelled', { requestId: id, reason: why });
    });
    const wishes = withWishes(params, id, { era: 'legacy', listener: options.listener });
    const body = requestText(id, method, paramsText(wishes, 'legacy', this.#options.clientInfo));
    void this.#send(id, body, options.headers);
    return answer;
  }

  notify(method: string, params?: JsonObject): Promise<unknown> {
    return this.#postAside(notificationText(method, params));
  }

  respond(id: string | number, answer: ServerAnswer): void {
    const body = answerText(id, answer);
    if ('result' in answer) void this.#postAside(body);
    else this.#asides.add(body);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#end('the broker ended the session');
  }

  async #send(id: number, body: string, fields: RequestOptions['headers']): Promise<void> {
    const path = this.#path ?? (await this.#endpoint);
    // Given up while the stream was opened: it must not be sent any more.
    if (path === undefined || !this.#pending.has(id)) return;
    const status = await this.#post(path, body, fields);
    if (status === 'broken') this.#pending.settle(id, failedAnswer('lost', true, 'the request could not be posted'));
    else if (status !== 'late' && status >= 300) this.#pending.settle(id, answerOfStatus(status, undefined, id));
  }

  #post(path: string, body: string, fields: RequestOptions['headers'] = {}): Promise<number | 'broken' | 'late'> {
    const headers = [...this.#headers, 'content-type', 'application/json', ...Object.entries(fields).flat()];
    return postAndForget(this.#options.sockets.calls, { method: 'POST', path, headers, body });
  }

  async #postAside(body: string): Promise<void> {
    if (this.#path === undefined) return;
    const headers = [...this.#headers, 'content-type', 'application/json'];
    await postAndForget(this.#options.sockets.asides, { method: 'POST', path: this.#path, headers, body });
  }

  #open(): void {
    const { url, sockets, maxEventBytes } = this.#options;
    const reader = new EventStreamReader(maxEventBytes, (data, event) => this.#onEvent(data, event));
    const headers = [...this.#headers, 'accept', 'text/event-stream'];
    const path = `${url.pathname}${url.search}`;
    sockets.streams.dispatch(
      { method: 'GET', path, headers, headersTimeout: 0, bodyTimeout: 0 },
      {
        onRequestStart: (controller) => {
          this.#stream = controller;
          if (this.#ended !== undefined) controller.abort(new Error('closed'));
        },
        onResponseStart: (_controller, status, { 'content-type': type }) => {
          const isStream = status === 200 && String(type).toLowerCase().startsWith('text/event-stream');
          if (!isStream) this.#end(`the server opens no event stream (HTTP ${status})`);
        },
        onResponseData: (controller, chunk) => {
          if (this.#ended === undefined && !reader.push(chunk)) this.#onOverlong();
          reader.rest(controller);
        },
        onResponseEnd: () => this.#end('the event stream ended'),
        onResponseError: () => this.#end('the event stream broke'),
      },
    );
  }

  #onOverlong(): void {
    const { onlyId } = this.#pending;
    const problem = `the message is over ${this.#options.maxEventBytes} bytes`;
    // Nobody else can have been sent it when one request alone waits; what comes after it cannot be read.
    if (onlyId !== undefined) this.#pending.settle(onlyId, failedAnswer('too-large', true, problem));
    this.#end('the server sent an event that is too large');
  }

  #onEvent(data: Buffer, event: string): void {
    if (this.#path === undefined) {
      this.#takeEndpoint(data.toString('utf8'), event);
      return;
    }
    const message = readIncomingMessage(data, this.#options.maxEventBytes);
    if (message.kind === 'request') this.#onRequest(message);
    else if (message.kind === 'notification') hearNotification(message, this.#pending, this.#options.events);
    else if (message.kind === 'answer') {
      if (!this.#pending.settle(message.id, message.answer)) this.#options.events.onDropped();
    } else {
      const id = message.kind === 'invalid' ? message.id : undefined;
      const problem = message.kind === 'invalid' ? message.problem : 'an error without an id';
      const isOurs = id !== undefined && this.#pending.settle(id, failedAnswer('protocol', true, problem));
      if (!isOurs) this.#options.events.onDropped();
    }
  }

  #onRequest(message: Extract<IncomingMessage, { kind: 'request' }>): void {
    this.#rate.note();
    if (this.#rate.isExceeded) {
      this.#options.events.onDropped();
      this.#end('the server asks without end');
      return;
    }
    const answer = hearRequest(message, this.#pending, { events: this.#options.events, channel: this });
    if (answer !== undefined) this.#asides.add(answer);
  }

  #takeEndpoint(text: string, event: string): void {
    const { url } = this.#options;
    const endpoint = event === 'endpoint' && URL.canParse(text, url.href) ? new URL(text, url) : undefined;
    if (endpoint?.origin === url.origin) {
      this.#path = `${endpoint.pathname}${endpoint.search}`;
      this.#tellEndpoint(this.#path);
    } else {
      this.#end(endpoint === undefined ? 'the event stream names no endpoint' : 'the endpoint is of another origin');
    }
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#tellEndpoint(undefined);
    this.#pending.settleAll(failedAnswer('lost', this.#path !== undefined, why));
    this.#stream?.abort(new Error('closed'));
    if (!this.#closing) this.#options.events.onEnded(why);
  }
}
