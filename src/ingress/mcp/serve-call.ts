import type { Cancellation } from '../../lib/cancellation.ts';
import { type ClientSession, errorName, handleCall, internalErrorReply, type RpcRequest } from './answer.ts';
import { ResponseStream } from './call-stream.ts';
import { type HttpExchange, headerOf, sendReply } from './http-exchange.ts';
import type { EndpointState } from './http-state.ts';
import type { Reply } from './replies.ts';
import { createClientContext, requestedNotificationsIn } from './request-link.ts';

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
