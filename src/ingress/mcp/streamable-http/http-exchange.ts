import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../../../domain/principal.ts';
import type { ViewName } from '../../../domain/target.ts';
import { ByteBuffer } from '../../../lib/byte-buffer.ts';
import type { Reply, SerializedReply } from '../methods/reply.ts';

/** An HTTP request of an authenticated principal, and its response. */
export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly principal: Principal;
  /** View named by the path; undefined for all servers. */
  readonly view: ViewName | undefined;
}

/** Sends a JSON body. Does nothing if the client has disconnected. */
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

/** Sends the serialized bytes without copying or encoding them. */
function sendSerialized(response: ServerResponse, { head, serialized, tail }: SerializedReply): void {
  if (response.writableEnded || response.destroyed) return;
  const length = Buffer.byteLength(head) + serialized.length + Buffer.byteLength(tail);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': length });
  response.write(head);
  response.write(serialized);
  response.end(tail);
}

/** Sends a response without a body: 202 for a notification, 204 for an ended session. */
export function sendEmpty(response: ServerResponse, status: number): void {
  if (response.writableEnded || response.destroyed) return;
  response.writeHead(status, { 'content-length': 0 });
  response.end();
}

/** Returns the value of a header; undefined if it is absent or occurs several times. */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** A body over the limit is read and discarded up to this multiple of the limit, so that the client can read the error. */
const DISCARD_FACTOR = 16;

export type ReadBodyResult = Buffer | 'too-large' | 'gone';

/** Reads the body of a request, at most `maxBytes`. Resolves with `gone` if the client disconnected before its end. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<ReadBodyResult> {
  return new Promise((resolve) => {
    const body = new ByteBuffer();
    let size = 0;
    let isSettled = false;
    // Every request emits `close`, and resolving a promise again costs a call into the engine.
    const settle = (result: ReadBodyResult): void => {
      if (!isSettled) resolve(result);
      isSettled = true;
    };
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        body.take();
        if (size > maxBytes * DISCARD_FACTOR) settle('too-large');
        return;
      }
      body.push(chunk);
    });
    request.on('end', () => {
      if (size > maxBytes) settle('too-large');
      else settle(body.take());
    });
    request.on('close', () => settle('gone'));
    request.on('error', () => settle('gone'));
  });
}
