import type { Dispatcher } from 'undici';
import { encodeNotification } from '../../domain/mcp/notification.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { type ClientInfo, encodeParams, encodeRequest, encodeResponse, withMeta } from '../protocol/encode-request.ts';
import { responseForHttpStatus } from '../protocol/http-status.ts';
import { parseMessage } from '../protocol/parse-message.ts';
import { PendingRequests } from '../protocol/pending-requests.ts';
import { unsentResponse } from '../protocol/request-deadline.ts';
import { type IncomingNotification, type IncomingRequest, routeMessage } from '../protocol/route-message.ts';
import {
  failedResponse,
  type OutgoingResponse,
  type RequestOptions,
  type Response,
  type Transport,
  type TransportEvents,
} from '../protocol/transport.ts';
import type { HttpClient } from './http-client.ts';
import { BackgroundPosts, postAndForget, RequestRate } from './http-client.ts';
import { SseParser } from './sse-parser.ts';

export interface SseTransportOptions {
  readonly httpClient: HttpClient;
  readonly url: URL;
  /** The registry's header fields, secrets resolved. */
  readonly headers: Readonly<Record<string, string>>;
  readonly clientInfo: ClientInfo;
  /** Limit of one event, in bytes. */
  readonly maxEventBytes: number;
  /** True if several principals share the session. */
  readonly isShared: boolean;
  readonly events: TransportEvents;
}

/**
 * MCP over the HTTP+SSE transport of 2024-11-05: all messages of the server come on one event stream, whose first event,
 * `endpoint`, names the URL for requests. The endpoint must have the same origin: otherwise a server could direct
 * requests, and the secrets in their headers, to any host.
 */
export class SseTransport implements Transport {
  readonly type = 'sse';
  readonly #options: SseTransportOptions;
  readonly #pending: PendingRequests;
  readonly #headers: readonly string[];
  readonly #endpoint: Promise<string | undefined>;
  #resolveEndpoint: (path: string | undefined) => void = () => {};
  #path: string | undefined;
  #stream: Dispatcher.DispatchController | undefined;
  #ended: string | undefined;
  #closing = false;
  readonly #rate = new RequestRate();
  readonly #backgroundPosts = new BackgroundPosts(
    (body) => this.#postInBackground(body),
    () => this.#options.events.onDropped(),
  );

  constructor(options: SseTransportOptions) {
    this.#options = options;
    this.#pending = new PendingRequests(options);
    this.#headers = Object.entries(options.headers).flatMap(([name, value]) => [name.toLowerCase(), value]);
    this.#endpoint = new Promise((resolve) => {
      this.#resolveEndpoint = resolve;
    });
    this.#open();
  }

  get endReason(): string | undefined {
    return this.#ended;
  }

  setProtocolVersion(): void {
    // There is only one: the transport was replaced in 2025-03-26.
  }

  openStandaloneStream(): void {
    // Notifications come on the same stream as responses.
  }

  request(method: string, params: JsonObject, options: RequestOptions): Promise<Response> {
    const unsent = unsentResponse(this.#ended, options.signal);
    if (unsent !== undefined) return Promise.resolve(unsent);
    const id = this.#pending.nextId();
    const response = this.#pending.waitForResponse(id, options, (reason) => {
      // The specification forbids cancelling `initialize`.
      if (method !== 'initialize') void this.notify('notifications/cancelled', { requestId: id, reason });
    });
    const paramsWithMeta = withMeta(params, id, { era: 'legacy', listener: options.listener });
    const body = encodeRequest(id, method, encodeParams(paramsWithMeta, 'legacy', this.#options.clientInfo));
    void this.#send(id, body, options.headers);
    return response;
  }

  notify(method: string, params?: JsonObject): Promise<unknown> {
    return this.#postInBackground(encodeNotification(method, params));
  }

  respond(id: string | number, response: OutgoingResponse): void {
    const body = encodeResponse(id, response);
    if ('result' in response) void this.#postInBackground(body);
    else this.#backgroundPosts.add(body);
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#end('the broker ended the session');
  }

  async #send(id: number, body: string, fields: RequestOptions['headers']): Promise<void> {
    const path = this.#path ?? (await this.#endpoint);
    // Abandoned while the stream was opening: it must not be sent any more.
    if (path === undefined || !this.#pending.has(id)) return;
    const status = await this.#post(path, body, fields);
    if (status === 'broken') this.#pending.settle(id, failedResponse('lost', true, 'the request could not be posted'));
    else if (status !== 'late' && status >= 300) this.#pending.settle(id, responseForHttpStatus(status, undefined, id));
  }

  #post(path: string, body: string, fields: RequestOptions['headers'] = {}): Promise<number | 'broken' | 'late'> {
    const headers = [...this.#headers, 'content-type', 'application/json', ...Object.entries(fields).flat()];
    return postAndForget(this.#options.httpClient.calls, { method: 'POST', path, headers, body });
  }

  async #postInBackground(body: string): Promise<void> {
    if (this.#path === undefined) return;
    const headers = [...this.#headers, 'content-type', 'application/json'];
    await postAndForget(this.#options.httpClient.background, { method: 'POST', path: this.#path, headers, body });
  }

  #open(): void {
    const { url, httpClient, maxEventBytes } = this.#options;
    const reader = new SseParser(maxEventBytes, (data, event) => this.#onEvent(data, event));
    const headers = [...this.#headers, 'accept', 'text/event-stream'];
    const path = `${url.pathname}${url.search}`;
    httpClient.streams.dispatch(
      { method: 'GET', path, headers, headersTimeout: 0, bodyTimeout: 0 },
      {
        onRequestStart: (controller) => {
          this.#stream = controller;
          if (this.#ended !== undefined) controller.abort(new Error('closed'));
        },
        onResponseStart: (_controller, status, { 'content-type': type }) => {
          const isStream = status === 200 && String(type).toLowerCase().startsWith('text/event-stream');
          if (!isStream) this.#end(`the server did not open an event stream (HTTP ${status})`);
        },
        onResponseData: (controller, chunk) => {
          if (this.#ended === undefined && !reader.push(chunk)) this.#onOversizedEvent();
          reader.yieldToEventLoop(controller);
        },
        onResponseEnd: () => this.#end('the event stream ended'),
        onResponseError: () => this.#end('the event stream broke'),
      },
    );
  }

  #onOversizedEvent(): void {
    const { soleId: onlyId } = this.#pending;
    const problem = `the message is over ${this.#options.maxEventBytes} bytes`;
    // If exactly one request is in flight, the event belongs to it. Nothing after the event can be read.
    if (onlyId !== undefined) this.#pending.settle(onlyId, failedResponse('too-large', true, problem));
    this.#end('the server sent an event that is too large');
  }

  #onEvent(data: Buffer, event: string): void {
    if (this.#path === undefined) {
      this.#setEndpoint(data.toString('utf8'), event);
      return;
    }
    const message = parseMessage(data, this.#options.maxEventBytes);
    if (message.kind === 'request') this.#onRequest(message);
    else if (message.kind === 'notification') this.#route(message);
    else if (message.kind === 'response') {
      if (!this.#pending.settle(message.id, message.response)) this.#options.events.onDropped();
    } else {
      const id = message.kind === 'invalid' ? message.id : undefined;
      const problem = message.kind === 'invalid' ? message.problem : 'an error without an id';
      const isOurs = id !== undefined && this.#pending.settle(id, failedResponse('protocol', true, problem));
      if (!isOurs) this.#options.events.onDropped();
    }
  }

  #onRequest(message: IncomingRequest): void {
    this.#rate.record();
    if (this.#rate.isExceeded) {
      this.#options.events.onDropped();
      this.#end('the server sent too many requests');
      return;
    }
    this.#route(message);
  }

  #route(message: IncomingRequest | IncomingNotification): void {
    const response = routeMessage(message, this.#pending, { events: this.#options.events, transport: this });
    if (response !== undefined) this.#backgroundPosts.add(response);
  }

  #setEndpoint(text: string, event: string): void {
    const { url } = this.#options;
    const endpoint = event === 'endpoint' && URL.canParse(text, url.href) ? new URL(text, url) : undefined;
    if (endpoint?.origin === url.origin) {
      this.#path = `${endpoint.pathname}${endpoint.search}`;
      this.#resolveEndpoint(this.#path);
    } else {
      this.#end(endpoint === undefined ? 'the event stream names no endpoint' : 'the endpoint has another origin');
    }
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#resolveEndpoint(undefined);
    this.#pending.settleAll(failedResponse('lost', this.#path !== undefined, reason));
    this.#stream?.abort(new Error('closed'));
    if (!this.#closing) this.#options.events.onEnded(reason);
  }
}
