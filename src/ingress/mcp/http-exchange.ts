import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../../domain/principal.ts';
import type { ViewName } from '../../domain/view-name.ts';
import type { Reply, SerializedReply } from './replies.ts';

/** One HTTP request of a proved principal, and where its answer goes. */
export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly principal: Principal;
  /** What its path stands for. Default: the whole. */
  readonly view: ViewName | undefined;
}

/** Answers with JSON; nothing happens when the client is gone. */
export function sendJson(response: ServerResponse, status: number, body: string): void {
  if (response.writableEnded || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

export function sendReply(response: ServerResponse, reply: Reply | SerializedReply): void {
  if ('serialized' in reply) sendSerialized(response, reply);
  else {
    if (reply.retryAfterMs !== undefined && !response.headersSent) {
      // RFC 9110, 10.2.3: whole seconds.
      response.setHeader('retry-after', Math.max(1, Math.ceil(reply.retryAfterMs / 1_000)));
    }
    sendJson(response, reply.status, reply.body);
  }
}

/** Sends the printed bytes as they lie, neither copied nor encoded. */
function sendSerialized(response: ServerResponse, { head, serialized: printed, tail }: SerializedReply): void {
  if (response.writableEnded || response.destroyed) return;
  const length = Buffer.byteLength(head) + printed.length + Buffer.byteLength(tail);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': length });
  response.write(head);
  response.write(printed);
  response.end(tail);
}

/** Answers without a body: 202 for notifications, 204 for an ended session. */
export function sendEmpty(response: ServerResponse, status: number): void {
  if (response.writableEnded || response.destroyed) return;
  response.writeHead(status, { 'content-length': 0 });
  response.end();
}

/** The one value of a header; undefined when it is absent. */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
