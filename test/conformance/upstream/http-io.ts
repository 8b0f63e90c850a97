import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/lib/json/json.ts';

/** A JSON-RPC message as it arrived. */
export interface Message {
  readonly id?: JsonValue;
  readonly method?: string;
  readonly params: JsonObject;
  readonly whole: JsonObject;
}

export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** The body as a message; undefined when it is not a JSON object. */
export async function readMessage(request: IncomingMessage): Promise<Message | undefined> {
  const whole: unknown = JSON.parse((await text(request)) || 'null');
  if (!isJsonObject(whole)) return undefined;
  const { id, method, params } = whole;
  return {
    ...(id === undefined ? {} : { id }),
    ...(typeof method === 'string' ? { method } : {}),
    params: isJsonObject(params) ? params : {},
    whole,
  };
}

export function sendJson(response: ServerResponse, body: JsonObject, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** Server-sent events on a reply, begun with the first of them. */
export class EventStream {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  begin(): void {
    if (this.hasBegun) return;
    this.#response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.#response.flushHeaders();
  }

  send(message: JsonObject): void {
    this.begin();
    this.#response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  }

  /** An event without a message, by whose id the client can ask for what follows (2025-11-25, SEP-1699). */
  prime(eventId: string, retryMs: number): void {
    this.begin();
    this.#response.write(`id: ${eventId}\nretry: ${retryMs}\ndata: \n\n`);
  }

  end(): void {
    this.#response.end();
  }
}

const LOCAL = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/;

/** True unless `Host` or `Origin` is another machine's (MCP, "Security Warning": DNS rebinding). */
export function isLocal(request: IncomingMessage): boolean {
  const origin = headerOf(request, 'origin');
  return (
    LOCAL.test(request.headers.host ?? '') && (origin === undefined || LOCAL.test(origin.replace(/^https?:\/\//, '')))
  );
}
