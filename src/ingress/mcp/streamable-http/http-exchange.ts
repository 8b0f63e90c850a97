import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../../../domain/principal.ts';
import type { ViewName } from '../../../domain/target.ts';
import { ByteBuffer } from '../../../lib/byte-buffer.ts';
import type { Reply, SerializedReply } from '../methods/replies.ts';

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

/** A body over the cap is thrown away up to this many times the cap, so that the client can read why, and then cut off. */
const DISCARD_FACTOR = 16;

export type ReadBodyResult = Buffer | 'too-large' | 'gone';

/** Reads the body of a request, at most `maxBytes` of it. Resolves with `gone` when the client went away first. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<ReadBodyResult> {
  return new Promise((resolve) => {
    const body = new ByteBuffer();
    let size = 0;
    let isSettled = false;
    // A promise that is resolved again costs a call into the engine, and every request closes.
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
