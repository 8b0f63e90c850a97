import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendReply } from './http-exchange.ts';
import type { Reply } from './replies.ts';
import { MAX_BUFFERED_BYTES, type NotificationSink } from './request-link.ts';
import type { BufferLease, SendBufferBudget } from './unread-room.ts';

/**
 * The answer to one POST: a JSON body, or, from the first message that comes before it, an event stream that ends with it
 * (Streamable HTTP, "Sending Messages to the Server"). What a client does not read in time is left out; the reply is not.
 */
export class ResponseStream implements NotificationSink {
  readonly #response: ServerResponse;
  readonly #acceptsEventStream: boolean;
  readonly #isStillAuthenticated: () => boolean;
  readonly #bufferLease: BufferLease;

  /** `stillProved` is asked before every message: an agent that was taken away hears no more. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    {
      isStillAuthenticated,
      sendBuffer,
    }: { readonly isStillAuthenticated: () => boolean; readonly sendBuffer: SendBufferBudget },
  ) {
    this.#response = response;
    this.#acceptsEventStream = acceptsEventStream(request.headers.accept);
    this.#isStillAuthenticated = isStillAuthenticated;
    this.#bufferLease = sendBuffer.acquire();
  }

  send(json: string): boolean {
    const response = this.#response;
    if (!this.#acceptsEventStream || response.writableEnded || response.destroyed) return false;
    this.#recordBuffered();
    if (
      response.writableLength > MAX_BUFFERED_BYTES ||
      !this.#bufferLease.hasCapacity() ||
      !this.#isStillAuthenticated()
    )
      return false;
    if (!response.headersSent) this.#begin();
    response.write(encodeEvent(json));
    this.#recordBuffered();
    return true;
  }

  /** Ends with the reply, in whichever form it has become. */
  end(reply: Reply): void {
    const response = this.#response;
    if (!response.headersSent) sendReply(response, reply);
    else if (!response.writableEnded && !response.destroyed) response.end(encodeEvent(reply.body));
  }

  #begin(): void {
    const response = this.#response;
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    response.on('drain', () => this.#recordBuffered());
    // Not with the reply: what came before it waits until the client has read both, or is gone.
    response.once('close', () => this.#bufferLease.release());
  }

  #recordBuffered(): void {
    this.#bufferLease.record(this.#response.writableLength);
  }
}

function encodeEvent(json: string): string {
  return `event: message\ndata: ${json}\n\n`;
}

/** Both media types are demanded of clients; one that names no event stream gets none. */
function acceptsEventStream(accept: string | undefined): boolean {
  return accept !== undefined && /(?:text\/(?:event-stream|\*)|\*\/\*)/i.test(accept);
}
