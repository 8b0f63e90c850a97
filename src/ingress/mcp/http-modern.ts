import type { CallContext } from '../../domain/call.ts';
import { Cancellation } from '../../lib/cancellation.ts';
import { type ClientSession, handleOther, isRequest } from './answer.ts';
import type { RpcMessage, RpcProblem } from './envelope.ts';
import { isCall } from './governed-request.ts';
import { type HttpExchange, headerOf, sendEmpty, sendReply } from './http-exchange.ts';
import { serveListen } from './http-listen.ts';
import type { EndpointState } from './http-state.ts';
import { checkModernRequest, type McpHeaders } from './modern-envelope.ts';
import { checkParamHeaders } from './param-headers.ts';
import { problemReply } from './replies.ts';
import { MODERN_VERSION } from './revisions.ts';
import { UNSUPPORTED_PROTOCOL_VERSION } from './rpc-error.ts';
import { serveCall } from './serve-call.ts';
import type { McpServices } from './services.ts';

/** A stateless request belongs to no session. */
export const STATELESS: CallContext = Object.freeze({
  transport: 'http',
  protocolVersion: MODERN_VERSION,
  session: 'stateless',
});

/** Serves one POST of 2026-07-28. */
export async function serveModern(
  state: EndpointState,
  exchange: HttpExchange,
  { message, headers }: { readonly message: RpcMessage; readonly headers: McpHeaders },
): Promise<void> {
  const { services } = state;
  const { principal, response, view } = exchange;
  // The revision defines no notification from clients over HTTP: closing the stream is the cancellation.
  if (!isRequest(message)) return sendEmpty(response, 202);
  const problem = checkModernRequest(message, headers) ?? checkCallParamHeaders(services, exchange, message);
  if (problem) {
    // An honest client finds the right version out by this refusal; it is no sign of malice.
    if (problem.code !== UNSUPPORTED_PROTOCOL_VERSION) {
      await services.broker.recordMalformed({ principal, context: STATELESS, ...problem });
    }
    return sendReply(response, problemReply(problem, message.id));
  }
  const clientSession: ClientSession = { principal, era: 'modern', context: STATELESS, view };
  if (isCall(message.method, 'modern')) {
    return serveCall(state, exchange, { message, clientSession, controller: new Cancellation() });
  }
  if (message.method === 'subscriptions/listen') return serveListen(state, exchange, { message, clientSession });
  sendReply(response, handleOther(services, clientSession, message));
}

/** The headers of a call against its arguments. Of a tool that the agent may not see nothing is told, not even its headers. */
function checkCallParamHeaders(
  { broker }: McpServices,
  { principal, request, view }: HttpExchange,
  { method, params }: RpcMessage,
): RpcProblem | undefined {
  const { name } = params;
  if (method !== 'tools/call' || typeof name !== 'string') return undefined;
  const paramHeaders = broker.paramHeaders(name, view);
  const problem = paramHeaders.length === 0 ? undefined : checkParamHeaders(paramHeaders, params, request.headers);
  if (problem === undefined) return undefined;
  return broker.list(principal, 'tool', view).definitions.some((tool) => tool.name === name) ? problem : undefined;
}

/** The headers that a modern POST mirrors its body in. */
export function mcpHeadersOf({ request }: HttpExchange): McpHeaders {
  return {
    version: headerOf(request, 'mcp-protocol-version'),
    method: headerOf(request, 'mcp-method'),
    name: headerOf(request, 'mcp-name'),
  };
}
