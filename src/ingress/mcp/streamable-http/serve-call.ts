import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cancellation } from '../../../lib/cancellation.ts';
import { encodeSseEvent, SSE_HEADERS } from '../../http/sse-streams.ts';
import {
  createClientContext,
  MAX_BUFFERED_BYTES,
  type NotificationSink,
  requestedNotificationsIn,
} from '../client/client-context.ts';
import { type ClientSession, handleCall } from '../methods/handle-call.ts';
import type { InvalidCall, ParsedCall } from '../methods/parse-call.ts';
import { internalErrorReply, type Reply } from '../methods/reply.ts';
import { errorName } from '../methods/services.ts';
import type { JsonRpcRequest } from '../protocol/json-rpc.ts';
import type { BufferLease, EndpointState, SendBufferBudget } from './endpoint-state.ts';
import { type HttpExchange, headerOf, sendReply } from './http-exchange.ts';

/** A call over HTTP. */
interface HttpCall {
  readonly message: JsonRpcRequest;
  readonly call: ParsedCall | InvalidCall;
  readonly clientSession: ClientSession;
  readonly controller: Cancellation;
}

/** Serves a call. A client cancels it by closing the connection (2026-07-28, cancellation). */
export async function serveCall(
  state: EndpointState,
  exchange: HttpExchange,
  { message, call, clientSession, controller }: HttpCall,
): Promise<void> {
  const { services, inFlightCalls } = state;
  const { request, response } = exchange;
  const { signal } = controller;
  inFlightCalls.add(controller);
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
    const reply = await handleCall(services, clientSession, {
      request: message,
      call,
      signal,
      traceHeader,
      clientContext,
    });
    sendFinalReply(exchange, stream, reply);
  } catch (error) {
    services.log.error('ingress.failed', { method: message.method, error: errorName(error) });
    sendFinalReply(exchange, stream, internalErrorReply(message.id));
  } finally {
    inFlightCalls.delete(controller);
  }
}

function sendFinalReply({ response }: HttpExchange, stream: ResponseStream | undefined, reply: Reply): void {
  if (stream === undefined) sendReply(response, reply);
  else stream.end(reply);
}

/**
 * The response to one POST: a JSON body, or an event stream that ends with the reply if notifications come before it
 * (Streamable HTTP, "Sending Messages to the Server"). Notifications that a client does not read in time are dropped, the
 * reply never.
 */
export class ResponseStream implements NotificationSink {
  readonly #response: ServerResponse;
  readonly #acceptsEventStream: boolean;
  readonly #isStillAuthenticated: () => boolean;
  readonly #bufferLease: BufferLease;

  /** `isStillAuthenticated` is called before every message: an agent that was removed receives no more. */
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
    response.write(encodeSseEvent(json));
    this.#recordBuffered();
    return true;
  }

  /** Sends the reply as a JSON body or as the last event. */
  end(reply: Reply): void {
    const response = this.#response;
    if (!response.headersSent) sendReply(response, reply);
    else if (!response.writableEnded && !response.destroyed) response.end(encodeSseEvent(reply.body));
  }

  #begin(): void {
    const response = this.#response;
    response.writeHead(200, SSE_HEADERS);
    response.on('drain', () => this.#recordBuffered());
    // Not with the reply: earlier events stay in memory until the client has read all or has disconnected.
    response.once('close', () => this.#bufferLease.release());
  }

  #recordBuffered(): void {
    this.#bufferLease.record(this.#response.writableLength);
  }
}

/** Clients must accept both media types. One that does not accept event streams gets a JSON body only. */
function acceptsEventStream(accept: string | undefined): boolean {
  return accept !== undefined && /(?:text\/(?:event-stream|\*)|\*\/\*)/i.test(accept);
}
