import type { CallContext } from '../../domain/call.ts';
import { Cancellation } from '../../lib/cancellation.ts';
import { answerOther, type Conversation, isRequest } from './answer.ts';
import type { RpcMessage, RpcProblem } from './envelope.ts';
import { isGoverned } from './governed-request.ts';
import { type HttpExchange, headerOf, sendEmpty, sendReply } from './http-exchange.ts';
import { serveListen } from './http-listen.ts';
import type { HttpState } from './http-state.ts';
import { checkModernRequest, type MirrorHeaders } from './modern-envelope.ts';
import { checkParamHeaders } from './param-headers.ts';
import { problemReply } from './replies.ts';
import { MODERN_REVISION } from './revisions.ts';
import { UNSUPPORTED_PROTOCOL_VERSION } from './rpc-error.ts';
import { serveCall } from './serve-call.ts';
import type { McpServices } from './services.ts';

/** A stateless request belongs to no session. */
export const STATELESS: CallContext = Object.freeze({
  transport: 'http',
  protocolVersion: MODERN_REVISION,
  session: 'stateless',
});

/** Serves one POST of 2026-07-28. */
export async function serveModern(
  state: HttpState,
  exchange: HttpExchange,
  { message, headers }: { readonly message: RpcMessage; readonly headers: MirrorHeaders },
): Promise<void> {
  const { services } = state;
  const { principal, response, view } = exchange;
  // The revision defines no notification from clients over HTTP: closing the stream is the cancellation.
  if (!isRequest(message)) return sendEmpty(response, 202);
  const problem = checkModernRequest(message, headers) ?? checkMirroredArguments(services, exchange, message);
  if (problem) {
    // An honest client finds the right version out by this refusal; it is no sign of malice.
    if (problem.code !== UNSUPPORTED_PROTOCOL_VERSION) {
      await services.broker.recordMalformed({ principal, context: STATELESS, ...problem });
    }
    return sendReply(response, problemReply(problem, message.id));
  }
  const conversation: Conversation = { principal, era: 'modern', context: STATELESS, view };
  if (isGoverned(message.method, 'modern')) {
    return serveCall(state, exchange, { message, conversation, controller: new Cancellation() });
  }
  if (message.method === 'subscriptions/listen') return serveListen(state, exchange, { message, conversation });
  sendReply(response, answerOther(services, conversation, message));
}

/** The headers of a call against its arguments. Of a tool that the agent may not see nothing is told, not even its headers. */
function checkMirroredArguments(
  { broker }: McpServices,
  { principal, request, view }: HttpExchange,
  { method, params }: RpcMessage,
): RpcProblem | undefined {
  const { name } = params;
  if (method !== 'tools/call' || typeof name !== 'string') return undefined;
  const mirrored = broker.mirroredArguments(name, view);
  const problem = mirrored.length === 0 ? undefined : checkParamHeaders(mirrored, params, request.headers);
  if (problem === undefined) return undefined;
  return broker.list(principal, 'tool', view).offers.some((tool) => tool.name === name) ? problem : undefined;
}

/** The headers that a modern POST mirrors its body in. */
export function mirrorHeadersOf({ request }: HttpExchange): MirrorHeaders {
  return {
    version: headerOf(request, 'mcp-protocol-version'),
    method: headerOf(request, 'mcp-method'),
    name: headerOf(request, 'mcp-name'),
  };
}
