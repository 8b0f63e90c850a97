import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cancellation } from '../../../lib/cancellation.ts';
import {
  createClientContext,
  MAX_BUFFERED_BYTES,
  type NotificationSink,
  requestedNotificationsIn,
} from '../client/request-context.ts';
import {
  type ClientSession,
  errorName,
  handleCall,
  internalErrorReply,
  type RpcRequest,
} from '../methods/handle-call.ts';
import type { Reply } from '../methods/replies.ts';
import type { BufferLease, EndpointState, SendBufferBudget } from './endpoint-state.ts';
import { type HttpExchange, headerOf, sendReply } from './http-exchange.ts';

/** One governed request over HTTP. */
interface ServedCall {
  readonly message: RpcRequest;
  readonly clientSession: ClientSession;
  readonly controller: Cancellation;
}

/** Walks a governed request and answers it. A client that closes the connection cancels it (2026-07-28, cancellation). */
export async function serveCall(state: EndpointState, exchange: HttpExchange, call: ServedCall): Promise<void> {
  const { services, inFlightCalls: openCalls } = state;
  const { request, response } = exchange;
  const { message, clientSession, controller } = call;
  openCalls.add(controller);
  response.on('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  const requested = requestedNotificationsIn(message.params, clientSession.client);
  const stream =
    requested &&
    new ResponseStream(request, response, {
      isStillAuthenticated: () => state.isStillAuthenticated(exchange),
      sendBuffer: state.sendBuffer,
    });
  try {
    const traceHeader = headerOf(request, 'traceparent');
    const clientContext = requested && stream && createClientContext(requested, stream);
    const { signal } = controller;
    sendFinalReply(
      exchange,
      stream,
      await handleCall(services, clientSession, { request: message, signal, traceHeader, clientContext }),
    );
  } catch (error) {
    services.log.error('ingress.failed', { method: message.method, error: errorName(error) });
    sendFinalReply(exchange, stream, internalErrorReply(message.id));
  } finally {
    openCalls.delete(controller);
  }
}

function sendFinalReply({ response }: HttpExchange, stream: ResponseStream | undefined, reply: Reply): void {
  if (stream === undefined) sendReply(response, reply);
  else stream.end(reply);
}

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
