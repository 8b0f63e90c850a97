import type { Cancellation } from '../../lib/cancellation.ts';
import { answerCall, type Conversation, internalErrorReply, nameOf, type RpcRequest } from './answer.ts';
import { CallStream } from './call-stream.ts';
import { type HttpExchange, headerOf, sendReply } from './http-exchange.ts';
import type { HttpState } from './http-state.ts';
import type { Reply } from './replies.ts';
import { linkOf, wishesOf } from './request-link.ts';

/** One governed request over HTTP. */
interface HttpCall {
  readonly message: RpcRequest;
  readonly conversation: Conversation;
  readonly controller: Cancellation;
}

/** Walks a governed request and answers it. A client that closes the connection cancels it (2026-07-28, cancellation). */
export async function serveCall(state: HttpState, exchange: HttpExchange, call: HttpCall): Promise<void> {
  const { services, openCalls } = state;
  const { request, response } = exchange;
  const { message, conversation, controller } = call;
  openCalls.add(controller);
  response.on('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  const wishes = wishesOf(message.params, conversation.client);
  const stream =
    wishes &&
    new CallStream(request, response, { stillProved: () => state.provesSame(exchange), unread: state.unread });
  try {
    const traceHeader = headerOf(request, 'traceparent');
    const link = wishes && stream && linkOf(wishes, stream);
    const { signal } = controller;
    sendEnd(
      exchange,
      stream,
      await answerCall(services, conversation, { request: message, signal, traceHeader, link }),
    );
  } catch (error) {
    services.log.error('ingress.failed', { method: message.method, error: nameOf(error) });
    sendEnd(exchange, stream, internalErrorReply(message.id));
  } finally {
    openCalls.delete(controller);
  }
}

function sendEnd({ response }: HttpExchange, stream: CallStream | undefined, reply: Reply): void {
  if (stream === undefined) sendReply(response, reply);
  else stream.end(reply);
}
