import type { CallContext } from '../../../domain/call.ts';
import { Cancellation } from '../../../lib/cancellation.ts';
import type { ClientSession } from '../methods/handle-call.ts';
import { handleMethod } from '../methods/handle-method.ts';
import { type OpenSubscription, openSubscription } from '../methods/open-subscription.ts';
import { parseCall } from '../methods/parse-call.ts';
import { errorReply, invalidParamsReply, problemReply } from '../methods/reply.ts';
import type { McpServices } from '../methods/services.ts';
import {
  INTERNAL_ERROR,
  isRequest,
  type JsonRpcMessage,
  type JsonRpcProblem,
  type JsonRpcRequest,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../protocol/json-rpc.ts';
import { checkModernRequest, checkParamHeaders, type McpHeaders } from '../protocol/modern-request.ts';
import { MODERN_VERSION } from '../protocol/versions.ts';
import type { EndpointState } from './endpoint-state.ts';
import { type HttpExchange, headerOf, sendEmpty, sendReply } from './http-exchange.ts';
import { serveCall } from './serve-call.ts';

/** Context of a stateless request. */
export const STATELESS: CallContext = Object.freeze({
  transport: 'http',
  protocolVersion: MODERN_VERSION,
  session: 'stateless',
});

/** Serves a POST of 2026-07-28. */
export async function serveModern(
  state: EndpointState,
  exchange: HttpExchange,
  { message, headers }: { readonly message: JsonRpcMessage; readonly headers: McpHeaders },
): Promise<void> {
  const { services } = state;
  const { principal, response, view } = exchange;
  // This revision defines no notification from clients over HTTP: a client cancels by closing the stream.
  if (!isRequest(message)) return sendEmpty(response, 202);
  const problem = checkModernRequest(message, headers) ?? checkCallParamHeaders(services, exchange, message);
  if (problem) {
    // Clients find a supported version by this error, so it is not recorded as a malformed message.
    if (problem.code !== UNSUPPORTED_PROTOCOL_VERSION) {
      await services.broker.recordMalformed({ principal, context: STATELESS, ...problem });
    }
    return sendReply(response, problemReply(problem, message.id));
  }
  const clientSession: ClientSession = { principal, era: 'modern', context: STATELESS, view };
  const call = parseCall(message, 'modern');
  if (call) return serveCall(state, exchange, { message, call, clientSession, controller: new Cancellation() });
  if (message.method === 'subscriptions/listen') return serveListen(state, exchange, { message, clientSession });
  sendReply(response, handleMethod(services, clientSession, message));
}

/** Checks the parameter headers of a call. An agent that may not see the tool does not learn that it requires headers. */
function checkCallParamHeaders(
  { broker }: McpServices,
  { principal, request, view }: HttpExchange,
  { method, params }: JsonRpcMessage,
): JsonRpcProblem | undefined {
  const { name } = params;
  if (method !== 'tools/call' || typeof name !== 'string') return undefined;
  const paramHeaders = broker.visibleLists.paramHeaders(name, view);
  const problem = paramHeaders.length === 0 ? undefined : checkParamHeaders(paramHeaders, params, request.headers);
  if (problem === undefined) return undefined;
  return broker.visibleLists.list(principal, 'tool', view).definitions.some((tool) => tool.name === name)
    ? problem
    : undefined;
}

/** Returns the headers of a modern POST that repeat its body. */
export function mcpHeadersOf({ request }: HttpExchange): McpHeaders {
  return {
    version: headerOf(request, 'mcp-protocol-version'),
    method: headerOf(request, 'mcp-method'),
    name: headerOf(request, 'mcp-name'),
  };
}

const MAX_SUBSCRIPTIONS = 1_024;
const MAX_SUBSCRIPTIONS_PER_PRINCIPAL = 64;

/** Opens the stream of a subscription (2026-07-28, patterns/subscriptions). */
async function serveListen(
  state: EndpointState,
  exchange: HttpExchange,
  { message, clientSession }: { readonly message: JsonRpcRequest; readonly clientSession: ClientSession },
): Promise<void> {
  const { services, inFlightCalls } = state;
  const { response } = exchange;
  const release = reserveSubscription(state, exchange);
  if (release === undefined) {
    const error = { code: INTERNAL_ERROR, message: 'Subscription limit reached' };
    return sendReply(response, errorReply(message.id, error, 200));
  }
  const controller = new Cancellation();
  inFlightCalls.add(controller);
  response.on('close', () => controller.abort());
  const opened = await openSubscription(services, clientSession, { request: message, signal: controller.signal });
  inFlightCalls.delete(controller);
  if (typeof opened === 'string') {
    release();
    return sendReply(response, invalidParamsReply(message.id, `Invalid params: ${opened}`));
  }
  if (controller.signal.aborted) return release();
  openStream(state, exchange, { opened, release });
}

/** Counts a subscription. @returns a function that releases it; undefined if a limit is reached. */
function reserveSubscription(
  { streams, subscriptionCounts }: EndpointState,
  { principal }: HttpExchange,
): (() => void) | undefined {
  const openCount = subscriptionCounts.get(principal.id) ?? 0;
  if (streams.size >= MAX_SUBSCRIPTIONS || openCount >= MAX_SUBSCRIPTIONS_PER_PRINCIPAL) return undefined;
  subscriptionCounts.set(principal.id, openCount + 1);
  return () => {
    const remaining = (subscriptionCounts.get(principal.id) ?? 1) - 1;
    if (remaining > 0) subscriptionCounts.set(principal.id, remaining);
    else subscriptionCounts.delete(principal.id);
  };
}

function openStream(
  state: EndpointState,
  exchange: HttpExchange,
  { opened, release }: { readonly opened: OpenSubscription; readonly release: () => void },
): void {
  const { subscription } = opened;
  let unwatch: (() => void) | undefined;
  const stream = state.streams.open(exchange.response, {
    isStillAuthenticated: () => state.isStillAuthenticated(exchange),
    closeEvent: () => subscription.ended,
    onClose: () => {
      unwatch?.();
      opened.end();
      release();
    },
  });
  stream.send(subscription.acknowledged);
  if (subscription.isServed) {
    const { principal, view } = exchange;
    unwatch = state.services.listChanges.watch({ principalId: principal.id, view }, (list) => {
      const changed = subscription.changed(list);
      if (changed !== undefined) stream.send(changed);
    });
    opened.start((json) => stream.send(json));
    return;
  }
  stream.send(subscription.ended);
  stream.end();
}
