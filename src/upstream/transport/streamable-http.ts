import type { Era } from '../../domain/mcp/era.ts';
import { encodeNotification } from '../../domain/mcp/notification.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { type ClientInfo, encodeParams, encodeRequest, encodeResponse, withMeta } from '../protocol/encode-request.ts';
import { encodeHeaderValue } from '../protocol/param-headers.ts';
import type { IncomingMessage } from '../protocol/parse-message.ts';
import { type PendingListeners, routeMessage } from '../protocol/route-message.ts';
import {
  failedResponse,
  type MessageListener,
  type OutgoingResponse,
  type RequestOptions,
  type Response,
  type Transport,
  type TransportEvents,
} from '../protocol/transport.ts';
import type { HttpClient } from './http-client.ts';
import { BackgroundPosts, postAndForget } from './http-client.ts';
import { HttpExchange, type HttpExchangeEvents } from './http-exchange.ts';
import { eventStreamHeaders, StandaloneStream } from './standalone-stream.ts';

const MAX_SESSION_ID_LENGTH = 1024;

export interface StreamableHttpTransportOptions {
  readonly httpClient: HttpClient;
  readonly url: URL;
  /** The registry's header fields, secrets resolved. */
  readonly headers: Readonly<Record<string, string>>;
  readonly clientInfo: ClientInfo;
  /** True if several principals share the session. */
  readonly isShared: boolean;
  /** Milliseconds without a byte after which a response that has begun is abandoned. */
  readonly stallTimeoutMs: number;
  readonly events: TransportEvents;
}

/** Method, header fields and body of one HTTP request. */
interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: string[];
  readonly body?: string;
}

/** MCP over streamable HTTP: one POST per request. In the legacy era it has at most one session, in the modern era none. */
export class StreamableHttpTransport implements Transport, PendingListeners {
  readonly type = 'streamable-http';
  readonly #options: StreamableHttpTransportOptions;
  readonly #path: string;
  readonly #configuredHeaders: readonly string[];
  #headers: readonly string[];
  #era: Era = 'legacy';
  #version: string | undefined;
  #session: string | undefined;
  #lastId = 0;
  #inFlightCount = 0;
  readonly #listeners = new Map<number, MessageListener>();
  readonly #openEnded = new Set<number>();
  /** Requests whose stream ended and that wait to be resumed. */
  readonly #interrupted = new Map<number, HttpExchange>();
  #ended: string | undefined;
  #standaloneStream: StandaloneStream | undefined;
  /** Responses that carry no result. */
  readonly #backgroundPosts = new BackgroundPosts(
    (body) => this.#post(body),
    () => this.#options.events.onDropped(),
  );
  readonly #events: HttpExchangeEvents = {
    onServerMessage: (message, listeners) => this.#onServerMessage(message, listeners),
    onDropped: () => this.#options.events.onDropped(),
    onAbandoned: (requestId, reason) => void this.notify('notifications/cancelled', { requestId, reason }),
    onSettled: (id) => {
      if (!this.#openEnded.delete(id)) this.#inFlightCount -= 1;
      if (this.#listeners.size > 0) this.#listeners.delete(id);
      if (this.#interrupted.size > 0) this.#interrupted.delete(id);
    },
  };
  /** 2026-07-28 has no resumption: a request whose stream ends is lost. */
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
    onHeaders: (headers) => this.#setSession(headers['mcp-session-id']),
    // The specification forbids cancelling `initialize`.
    onAbandoned: () => {},
  };

  constructor(options: StreamableHttpTransportOptions) {
    this.#options = options;
    this.#path = `${options.url.pathname}${options.url.search}`;
    this.#configuredHeaders = Object.entries(options.headers).flatMap(([name, value]) => [name.toLowerCase(), value]);
    this.#headers = this.#composeHeaders();
  }

  get endReason(): string | undefined {
    return this.#ended;
  }

  listenerOf(id: number): MessageListener | undefined {
    return this.#listeners.get(id);
  }

  /** A message on the standalone stream belongs to no request if several could have caused it. */
  get hasSoleRequest(): boolean {
    return this.#inFlightCount === 1 && !this.#options.isShared;
  }

  get soleListener(): MessageListener | undefined {
    if (!this.hasSoleRequest) return undefined;
    for (const [id, listener] of this.#listeners) if (!this.#openEnded.has(id)) return listener;
    return undefined;
  }

  setProtocolVersion(era: Era, protocolVersion: string): void {
    this.#era = era;
    this.#version = protocolVersion;
    if (era === 'modern') this.#session = undefined;
    this.#headers = this.#composeHeaders();
  }

  openStandaloneStream(): void {
    if (this.#era !== 'legacy' || this.#session === undefined || this.#ended !== undefined) return;
    this.#standaloneStream = new StandaloneStream({
      pool: this.#options.httpClient.streams,
      path: this.#path,
      headers: this.#headers,
      onMessage: (message) => this.#onServerMessage(message, this),
      onDropped: () => this.#options.events.onDropped(),
      onSessionLost: () => this.#onSessionLost(),
    });
    this.#standaloneStream.open();
  }

  request(method: string, params: JsonObject, options: RequestOptions): Promise<Response> {
    if (this.#ended !== undefined) return Promise.resolve(failedResponse('lost', false, this.#ended));
    this.#lastId += 1;
    const id = this.#lastId;
    const { listener } = options;
    if (options.isOpenEnded === true) this.#openEnded.add(id);
    else this.#inFlightCount += 1;
    if (listener !== undefined) this.#listeners.set(id, listener);
    const exchange = new HttpExchange(id, options, this.#eventsOf(method));
    const paramsWithMeta = withMeta(params, id, { era: this.#era, listener });
    const body = encodeRequest(id, method, encodeParams(paramsWithMeta, this.#era, this.#options.clientInfo));
    const headers = this.#requestHeaders(method, params, options);
    this.#dispatch(exchange, { method: 'POST', headers, body });
    return this.#session === undefined ? exchange.response : exchange.response.then(toSessionLost);
  }

  notify(method: string, params?: JsonObject): Promise<unknown> {
    // 2026-07-28: over HTTP, closing the stream cancels the request, and clients send no other notification.
    return this.#era === 'legacy' ? this.#post(encodeNotification(method, params)) : Promise.resolve();
  }

  respond(id: string | number, response: OutgoingResponse): void {
    const body = encodeResponse(id, response);
    if ('result' in response) void this.#post(body);
    else this.#backgroundPosts.add(body);
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    this.#end('the broker ended the session');
    this.#standaloneStream?.close();
    if (this.#session === undefined) return;
    await postAndForget(this.#options.httpClient.background, {
      method: 'DELETE',
      path: this.#path,
      headers: this.#headers,
    });
  }

  #eventsOf(method: string): HttpExchangeEvents {
    if (this.#era === 'modern') return this.#events;
    return method === 'initialize' ? this.#initializeEvents : this.#legacyEvents;
  }

  #onInterrupted(id: number, exchange: HttpExchange): void {
    if (this.#ended === undefined) this.#interrupted.set(id, exchange);
    else exchange.failAsLost(this.#ended);
  }

  /** Open streams go on to their end; requests that wait to be resumed fail, because their session is gone. */
  #end(reason: string): void {
    this.#ended = reason;
    for (const exchange of [...this.#interrupted.values()]) exchange.failAsLost(reason);
  }

  #dispatch(exchange: HttpExchange, request: HttpRequest): void {
    // A silent server is bounded by the deadline of the call.
    const bodyTimeout = exchange.mayBeSilent ? 0 : this.#options.stallTimeoutMs;
    const { calls, streams } = this.#options.httpClient;
    const { method, headers, body = null } = request;
    (exchange.isOpenEnded ? streams : calls).dispatch(
      { path: this.#path, method, headers, body, headersTimeout: 0, bodyTimeout },
      exchange,
    );
  }

  #onServerMessage(message: IncomingMessage, listeners: PendingListeners): void {
    if (message.kind !== 'request' && message.kind !== 'notification') {
      this.#options.events.onDropped();
      return;
    }
    const response = routeMessage(message, listeners, { events: this.#options.events, transport: this });
    if (response !== undefined) this.#backgroundPosts.add(response);
  }

  #onSessionLost(): void {
    if (this.#ended !== undefined) return;
    const reason = 'the server forgot the session';
    this.#end(reason);
    this.#options.events.onEnded(reason);
  }

  #post(body: string): Promise<unknown> {
    return postAndForget(this.#options.httpClient.background, {
      method: 'POST',
      path: this.#path,
      headers: this.#headers,
      body,
    });
  }

  #setSession(header: string | string[] | undefined): void {
    // Streamable HTTP 2025-11-25, "Session management": visible ASCII only.
    if (typeof header !== 'string' || header.length > MAX_SESSION_ID_LENGTH || !/^[\x21-\x7e]+$/.test(header)) return;
    this.#session = header;
    this.#headers = this.#composeHeaders();
  }

  #composeHeaders(): readonly string[] {
    const headers = [...this.#configuredHeaders, 'content-type', 'application/json'];
    headers.push('accept', 'application/json, text/event-stream');
    if (this.#version !== undefined) headers.push('mcp-protocol-version', this.#version);
    if (this.#session !== undefined) headers.push('mcp-session-id', this.#session);
    return headers;
  }

  #requestHeaders(method: string, params: JsonObject, options: RequestOptions): string[] {
    const headers = [...this.#headers];
    if (this.#era === 'modern') {
      headers.push('mcp-method', method);
      const name = mcpName(method, params);
      if (name !== undefined) headers.push('mcp-name', encodeHeaderValue(name));
    }
    for (const field in options.headers) headers.push(field, options.headers[field] ?? '');
    return headers;
  }
}

/** Returns the value of `Mcp-Name` (streamable HTTP 2026-07-28, "Standard headers"). */
function mcpName(method: string, { name, uri }: JsonObject): string | undefined {
  const value = method === 'resources/read' ? uri : method === 'tools/call' || method === 'prompts/get' ? name : '';
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/**
 * Reads an error within a session as the loss of that session. Streamable HTTP 2025-11-25, "Session management": a 404
 * ends it, whatever the body says. Some servers respond with 400 and the SDKs' codes for a missing or unknown session.
 */
function toSessionLost(response: Response): Response {
  if (response.kind !== 'error') return response;
  const { status, error } = response;
  const isSessionLost = status === 404 || (status === 400 && (error.code === -32_000 || error.code === -32_001));
  return isSessionLost
    ? { ...failedResponse('session-lost', true, `the server responded with HTTP ${status}`), status }
    : response;
}
