import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendReply } from './http-exchange.ts';
import type { Reply } from './replies.ts';
import { MAX_UNREAD_BYTES, type NoticeSink } from './request-link.ts';
import type { UnreadPlace, UnreadRoom } from './unread-room.ts';

/**
 * The answer to one POST: a JSON body, or, from the first message that comes before it, an event stream that ends with it
 * (Streamable HTTP, "Sending Messages to the Server"). What a client does not read in time is left out; the reply is not.
 */
export class CallStream implements NoticeSink {
  readonly #response: ServerResponse;
  readonly #isAccepted: boolean;
  readonly #stillProved: () => boolean;
  readonly #place: UnreadPlace;

  /** `stillProved` is asked before every message: an agent that was taken away hears no more. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    { stillProved, unread }: { readonly stillProved: () => boolean; readonly unread: UnreadRoom },
  ) {
    this.#response = response;
    this.#isAccepted = acceptsEvents(request.headers.accept);
    this.#stillProved = stillProved;
    this.#place = unread.enter();
  }

  send(json: string): boolean {
    const response = this.#response;
    if (!this.#isAccepted || response.writableEnded || response.destroyed) return false;
    this.#noteUnread();
    if (response.writableLength > MAX_UNREAD_BYTES || !this.#place.hasRoom() || !this.#stillProved()) return false;
    if (!response.headersSent) this.#begin();
    response.write(eventOf(json));
    this.#noteUnread();
    return true;
  }

  /** Ends with the reply, in whichever form it has become. */
  end(reply: Reply): void {
    const response = this.#response;
    if (!response.headersSent) sendReply(response, reply);
    else if (!response.writableEnded && !response.destroyed) response.end(eventOf(reply.body));
  }

  #begin(): void {
    const response = this.#response;
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    response.on('drain', () => this.#noteUnread());
    // Not with the reply: what came before it waits until the client has read both, or is gone.
    response.once('close', () => this.#place.leave());
  }

  #noteUnread(): void {
    this.#place.note(this.#response.writableLength);
  }
}

function eventOf(json: string): string {
  return `event: message\ndata: ${json}\n\n`;
}

/** Both media types are demanded of clients; one that names no event stream gets none. */
function acceptsEvents(accept: string | undefined): boolean {
  return accept !== undefined && /(?:text\/(?:event-stream|\*)|\*\/\*)/i.test(accept);
}
