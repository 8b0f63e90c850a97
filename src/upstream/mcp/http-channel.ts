import type { JsonObject } from '../../lib/json.ts';
import type { Era } from '../era.ts';
import { AsideQueue } from './aside-queue.ts';
import {
  type Answer,
  type Channel,
  type ChannelEvents,
  failedAnswer,
  type RequestListener,
  type RequestOptions,
  type ServerAnswer,
} from './channel.ts';
import { encodeHeaderValue } from './header-value.ts';
import { type Hearers, hearNotification, hearRequest } from './hearers.ts';
import { HttpExchange, type HttpExchangeEvents } from './http-exchange.ts';
import { eventStreamHeaders, HttpListener } from './http-listener.ts';
import { postAndForget } from './http-post.ts';
import type { HttpSockets } from './http-sockets.ts';
import type { IncomingMessage } from './incoming-message.ts';
import { answerText, type ClientInfo, notificationText, paramsText, requestText, withWishes } from './message-dress.ts';

const MAX_SESSION_ID_LENGTH = 1024;

export interface HttpChannelOptions {
  readonly sockets: HttpSockets;
  readonly url: URL;
  /** The registry's header fields, secrets resolved. */
  readonly headers: Readonly<Record<string, string>>;
  readonly clientInfo: ClientInfo;
  /** True where several principals share the session. */
  readonly isShared: boolean;
  /** Milliseconds without a byte after which an answer that has begun is given up. */
  readonly stallTimeoutMs: number;
  readonly events: ChannelEvents;
}

/** One request as its method, fields and body. */
interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: string[];
  readonly body?: string;
}

/** MCP over streamable HTTP: one POST a request. A legacy channel has at most one session; a modern one has none. */
export class HttpChannel implements Channel, Hearers {
  readonly transport = 'streamable-http';
  readonly #options: HttpChannelOptions;
  readonly #path: string;
  readonly #ownHeaders: readonly string[];
  #headers: readonly string[];
  #era: Era = 'legacy';
  #version: string | undefined;
  #session: string | undefined;
  #lastId = 0;
  #underWay = 0;
  readonly #listeners = new Map<number, RequestListener>();
  readonly #openEnded = new Set<number>();
  /** Requests whose stream ended, and that wait for the time to go on. */
  readonly #interrupted = new Map<number, HttpExchange>();
  #ended: string | undefined;
  #listener: HttpListener | undefined;
  /** Answers that tell a server nothing that it has to know. */
  readonly #asides = new AsideQueue(
    (body) => this.#post(body),
    () => this.#options.events.onDropped(),
  );
  readonly #events: HttpExchangeEvents = {
    onServerMessage: (message, hearers) => this.#onServerMessage(message, hearers),
    onDropped: () => this.#options.events.onDropped(),
    onGivenUp: (requestId, reason) => void this.notify('notifications/cancelled', { requestId, reason }),
    onSettled: (id) => {
      if (!this.#openEnded.delete(id)) this.#underWay -= 1;
      if (this.#listeners.size > 0) this.#listeners.delete(id);
      if (this.#interrupted.size > 0) this.#interrupted.delete(id);
    },
  };
  /** 2026-07-28 has no resumption: there a stream that ended is a lost request. */
  readonly #legacyEvents: HttpExchangeEvents = {
    ...this.#events,
    onInterrupted: (id, exchange) => this.#onInterrupted(id, exchange),
    resume: (id, exchange, lastEventId) => {
      this.#interrupted.delete(id);
      const headers = [...eventStreamHeaders(this.#headers), 'last-event-id', lastEventId];
      this.#dispatch(exchange, { method: 'GET', headers });
    },
  };
  readonly #initializeEvents: HttpExchangeEvents = {
    ...this.#events,
    onHeaders: (headers) => this.#takeSession(headers['mcp-session-id']),
    // The specification forbids cancelling `initialize`.
    onGivenUp: () => {},
  };

  constructor(options: HttpChannelOptions) {
    this.#options = options;
    this.#path = `${options.url.pathname}${options.url.search}`;
    this.#ownHeaders = Object.entries(options.headers).flatMap(([name, value]) => [name.toLowerCase(), value]);
    this.#headers = this.#composeHeaders();
  }

  get ended(): string | undefined {
    return this.#ended;
  }

  listenerOf(id: number): RequestListener | undefined {
    return this.#listeners.get(id);
  }

  /** What comes on the stream of no request is nobody's, where several might have caused it. */
  get hasSole(): boolean {
    return this.#underWay === 1 && !this.#options.isShared;
  }

  get soleListener(): RequestListener | undefined {
    if (!this.hasSole) return undefined;
    for (const [id, listener] of this.#listeners) if (!this.#openEnded.has(id)) return listener;
    return undefined;
  }

  speak(era: Era, protocolVersion: string): void {
    this.#era = era;
    this.#version = protocolVersion;
    if (era === 'modern') this.#session = undefined;
    this.#headers = this.#composeHeaders();
  }

  listen(): void {
    if (this.#era !== 'legacy' || this.#session === undefined || this.#ended !== undefined) return;
    this.#listener = new HttpListener({
      pool: this.#options.sockets.streams,
      path: this.#path,
      headers: this.#headers,
      onMessage: (message) => this.#onServerMessage(message, this),
      onDropped: () => this.#options.events.onDropped(),
      onForgotten: () => this.#onForgotten(),
    });
    this.#listener.open();
  }

  request(method: string, params: JsonObject, options: RequestOptions): Promise<Answer> {
    if (this.#ended !== undefined) return Promise.resolve(failedAnswer('lost', false, this.#ended));
    this.#lastId += 1;
    const id = this.#lastId;
    const { listener } = options;
    if (options.isOpenEnded === true) this.#openEnded.add(id);
    else this.#underWay += 1;
    if (listener !== undefined) this.#listeners.set(id, listener);
    const exchange = new HttpExchange(id, options, this.#eventsOf(method));
    const wishes = withWishes(params, id, { era: this.#era, listener });
    const body = requestText(id, method, paramsText(wishes, this.#era, this.#options.clientInfo));
    const headers = this.#requestHeaders(method, params, options);
    this.#dispatch(exchange, { method: 'POST', headers, body });
    return this.#session === undefined ? exchange.answer : exchange.answer.then(orSessionLost);
  }

  notify(method: string, params?: JsonObject): Promise<unknown> {
    // 2026-07-28: on HTTP a closed stream is the cancellation, and there is nothing else to tell a server.
    return this.#era === 'legacy' ? this.#post(notificationText(method, params)) : Promise.resolve();
  }

  respond(id: string | number, answer: ServerAnswer): void {
    const body = answerText(id, answer);
    if ('result' in answer) void this.#post(body);
    else this.#asides.add(body);
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    this.#end('the broker ended the session');
    this.#listener?.close();
    if (this.#session === undefined) return;
    await postAndForget(this.#options.sockets.asides, { method: 'DELETE', path: this.#path, headers: this.#headers });
  }

  #eventsOf(method: string): HttpExchangeEvents {
    if (this.#era === 'modern') return this.#events;
    return method === 'initialize' ? this.#initializeEvents : this.#legacyEvents;
  }

  #onInterrupted(id: number, exchange: HttpExchange): void {
    if (this.#ended === undefined) this.#interrupted.set(id, exchange);
    else exchange.lose(this.#ended);
  }

  /** What is on a stream goes on to its end; what waits for one would be asked for in a session that is no more. */
  #end(why: string): void {
    this.#ended = why;
    for (const exchange of [...this.#interrupted.values()]) exchange.lose(why);
  }

  #dispatch(exchange: HttpExchange, request: HttpRequest): void {
    // The deadline of a call holds however silent its server may be.
    const bodyTimeout = exchange.mayBeSilent ? 0 : this.#options.stallTimeoutMs;
    const { calls, streams } = this.#options.sockets;
    const { method, headers, body = null } = request;
    (exchange.isOpenEnded ? streams : calls).dispatch(
      { path: this.#path, method, headers, body, headersTimeout: 0, bodyTimeout },
      exchange,
    );
  }

  #onServerMessage(message: IncomingMessage, hearers: Hearers): void {
    if (message.kind === 'request') {
      const answer = hearRequest(message, hearers, { events: this.#options.events, channel: this });
      if (answer !== undefined) this.#asides.add(answer);
    } else if (message.kind === 'notification') hearNotification(message, hearers, this.#options.events);
    else this.#options.events.onDropped();
  }

  #onForgotten(): void {
    if (this.#ended !== undefined) return;
    const why = 'the server forgot the session';
    this.#end(why);
    this.#options.events.onEnded(why);
  }

  #post(body: string): Promise<unknown> {
    return postAndForget(this.#options.sockets.asides, {
      method: 'POST',
      path: this.#path,
      headers: this.#headers,
      body,
    });
  }

  #takeSession(header: string | string[] | undefined): void {
    // Streamable HTTP 2025-11-25, "Session management": visible ASCII only.
    if (typeof header !== 'string' || header.length > MAX_SESSION_ID_LENGTH || !/^[\x21-\x7e]+$/.test(header)) return;
    this.#session = header;
    this.#headers = this.#composeHeaders();
  }

  #composeHeaders(): readonly string[] {
    const headers = [...this.#ownHeaders, 'content-type', 'application/json'];
    headers.push('accept', 'application/json, text/event-stream');
    if (this.#version !== undefined) headers.push('mcp-protocol-version', this.#version);
    if (this.#session !== undefined) headers.push('mcp-session-id', this.#session);
    return headers;
  }

  #requestHeaders(method: string, params: JsonObject, options: RequestOptions): string[] {
    const headers = [...this.#headers];
    if (this.#era === 'modern') {
      headers.push('mcp-method', method);
      const name = mirroredName(method, params);
      if (name !== undefined) headers.push('mcp-name', encodeHeaderValue(name));
    }
    for (const field in options.headers) headers.push(field, options.headers[field] ?? '');
    return headers;
  }
}

/** What `Mcp-Name` repeats (streamable HTTP 2026-07-28, "Standard headers"). */
function mirroredName(method: string, { name, uri }: JsonObject): string | undefined {
  const mirrored = method === 'resources/read' ? uri : method === 'tools/call' || method === 'prompts/get' ? name : '';
  return typeof mirrored === 'string' && mirrored !== '' ? mirrored : undefined;
}

/**
 * Streamable HTTP 2025-11-25, "Session management": within a session 404 says that it is over, whatever the body says.
 * Servers that answer 400 instead say so by the codes that the SDKs have for a missing or unknown session.
 */
function orSessionLost(answer: Answer): Answer {
  if (answer.kind !== 'error') return answer;
  const { status, error } = answer;
  const isOver = status === 404 || (status === 400 && (error.code === -32_000 || error.code === -32_001));
  return isOver ? { ...failedAnswer('session-lost', true, `the server answered HTTP ${status}`), status } : answer;
}
