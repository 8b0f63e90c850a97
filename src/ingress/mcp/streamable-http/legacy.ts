import type { CallContext } from '../../../domain/call.ts';
import { Cancellation } from '../../../lib/cancellation.ts';
import { listChangedMessage } from '../client/list-changed.ts';
import type { ClientSession } from '../methods/handle-call.ts';
import { handleMethod, INVALID_INITIALIZE, initializeLegacy } from '../methods/handle-method.ts';
import { type InvalidCall, type ParsedCall, parseCall } from '../methods/parse-call.ts';
import { errorReply, invalidParamsReply, problemReply, type Reply, resultReply } from '../methods/reply.ts';
import {
  INVALID_REQUEST,
  isRequest,
  type JsonRpcMessage,
  type JsonRpcRequest,
  type JsonRpcResponse,
  type RequestId,
  SESSION_NOT_FOUND,
  SESSION_REQUIRED,
  UNSUPPORTED_PROTOCOL_VERSION,
} from '../protocol/json-rpc.ts';
import { LEGACY_VERSIONS } from '../protocol/versions.ts';
import type { EndpointState } from './endpoint-state.ts';
import { type HttpExchange, headerOf, sendEmpty, sendReply } from './http-exchange.ts';
import type { LegacySession } from './legacy-sessions.ts';
import { serveCall } from './serve-call.ts';

/** Serves a POST of 2025-03-26 … 2025-11-25. */
export async function serveLegacy(
  state: EndpointState,
  exchange: HttpExchange,
  message: JsonRpcMessage,
): Promise<void> {
  const { response, principal } = exchange;
  const unsupported = unsupportedVersion(exchange, message.id);
  if (unsupported) return sendReply(response, unsupported);
  if (message.method === 'initialize' && isRequest(message)) return serveInitialize(state, exchange, message);
  const session = requireSession(state, exchange, message.id);
  if (!session) return;
  if (!isRequest(message)) {
    if (message.method === 'notifications/cancelled') cancel(session, message);
    if (message.method === 'notifications/roots/list_changed') {
      state.services.broker.rootsChanged(principal, session.context);
    }
    return sendEmpty(response, 202);
  }
  const { context, view, client } = session;
  const clientSession: ClientSession = { principal, era: 'legacy', context, view, client };
  const call = parseCall(message, 'legacy');
  if (call) return serveSessionCall(state, exchange, { message, call, clientSession, session });
  sendReply(response, handleMethod(state.services, clientSession, message));
}

/** Handles the response of a legacy client to an input request. Returns false if its session has no such request. */
export function handleLegacyResponse(
  { sessions }: EndpointState,
  { request, response, principal, view }: HttpExchange,
  clientResponse: JsonRpcResponse,
): boolean {
  const sessionId = headerOf(request, 'mcp-session-id');
  const session = sessionId === undefined ? undefined : sessions.find(sessionId, { principalId: principal.id, view });
  if (session?.client.requests?.handleResponse(clientResponse) !== true) return false;
  sendEmpty(response, 202);
  return true;
}

/** Serves `GET /mcp`: the stream for the notifications of a session that belong to no request. */
export function serveLegacyStream(state: EndpointState, exchange: HttpExchange): void {
  const { response, principal, request } = exchange;
  // 2026-07-28 defines no GET, and without a session there are no notifications.
  if (headerOf(request, 'mcp-session-id') === undefined) {
    sendMethodNotAllowed(exchange);
    return;
  }
  const session = requireSession(state, exchange, undefined);
  if (!session) return;
  session.stopWatching?.();
  session.stream?.end();
  const stream = state.streams.open(response, {
    isStillAuthenticated: () => state.isStillAuthenticated(exchange),
    headers: { 'mcp-session-id': session.id },
    onClose: () => {
      if (session.stream !== stream) return;
      session.stopWatching?.();
      session.stopWatching = undefined;
      session.stream = undefined;
    },
  });
  session.stream = stream;
  session.stopWatching = state.services.listChanges.watch({ principalId: principal.id, view: session.view }, (list) =>
    stream.send(listChangedMessage(list)),
  );
}

/** Serves `DELETE /mcp`: the client ends its session. */
export function serveLegacyEnd(state: EndpointState, exchange: HttpExchange): void {
  if (headerOf(exchange.request, 'mcp-session-id') === undefined) {
    sendMethodNotAllowed(exchange);
    return;
  }
  const session = requireSession(state, exchange, undefined);
  if (!session) return;
  state.sessions.end(session);
  sendEmpty(exchange.response, 204);
}

export function sendMethodNotAllowed({ response }: Pick<HttpExchange, 'response'>): void {
  response.setHeader('allow', 'POST');
  sendReply(response, errorReply(undefined, { code: SESSION_REQUIRED, message: 'Method not allowed' }, 405));
}

async function serveInitialize(
  state: EndpointState,
  { response, principal, view }: HttpExchange,
  message: JsonRpcRequest,
): Promise<void> {
  const { services, sessions } = state;
  const initialized = initializeLegacy(message.params, services, { principal, view });
  if (!initialized) {
    return sendReply(response, invalidParamsReply(message.id, INVALID_INITIALIZE));
  }
  const session = sessions.open({ principalId: principal.id, view }, initialized.protocolVersion, initialized.client);
  if (!session) {
    return sendReply(response, errorReply(message.id, { code: SESSION_REQUIRED, message: 'Too many sessions' }, 503));
  }
  response.setHeader('mcp-session-id', session.id);
  sendReply(response, resultReply(message.id, initialized.result, { era: 'legacy', serverInfo: services.serverInfo }));
}

async function serveSessionCall(
  state: EndpointState,
  exchange: HttpExchange,
  {
    message,
    call,
    clientSession,
    session,
  }: {
    readonly message: JsonRpcRequest;
    readonly call: ParsedCall | InvalidCall;
    readonly clientSession: ClientSession;
    readonly session: LegacySession;
  },
): Promise<void> {
  const { id } = message;
  if (session.inFlight.has(id)) {
    const problem = { code: INVALID_REQUEST, problem: 'a request with this id is already in flight in this session' };
    await state.services.broker.recordMalformed({ ...clientSession, ...problem });
    return sendReply(exchange.response, problemReply(problem, id));
  }
  const controller = new Cancellation();
  session.inFlight.set(id, controller);
  try {
    await serveCall(state, exchange, { message, call, clientSession, controller });
  } finally {
    session.inFlight.delete(id);
  }
}

function cancel(session: LegacySession, { params }: JsonRpcMessage): void {
  const id = params.requestId;
  if (typeof id === 'string' || typeof id === 'number') session.inFlight.get(id)?.abort();
}

/** Context of a message whose session does not exist. */
const UNKNOWN_SESSION: CallContext = Object.freeze({ transport: 'http', protocolVersion: 'unknown', session: 'none' });

/** Returns the session of the request. If there is none, sends an error and returns undefined. */
function requireSession(
  state: EndpointState,
  exchange: HttpExchange,
  id: RequestId | undefined,
): LegacySession | undefined {
  const sessionId = headerOf(exchange.request, 'mcp-session-id');
  if (sessionId === undefined) {
    const error = {
      code: SESSION_REQUIRED,
      message: 'Bad Request: the header Mcp-Session-Id is required; send `initialize` first',
    };
    sendReply(exchange.response, errorReply(id, error, 400));
    return undefined;
  }
  const { principal, view } = exchange;
  const session = state.sessions.find(sessionId, { principalId: principal.id, view });
  if (!session) {
    // One response whether the session has ended, is another principal's or of another path. The ledger has the principal.
    const problem = { code: SESSION_NOT_FOUND, problem: 'the principal has no session with this id' };
    void state.services.broker.recordMalformed({ principal, context: UNKNOWN_SESSION, ...problem });
    sendReply(exchange.response, errorReply(id, { code: SESSION_NOT_FOUND, message: 'Session not found' }, 404));
  }
  return session;
}

function unsupportedVersion({ request }: HttpExchange, id: RequestId | undefined): Reply | undefined {
  const version = headerOf(request, 'mcp-protocol-version');
  if (version === undefined || LEGACY_VERSIONS.includes(version)) return undefined;
  const problem = {
    code: UNSUPPORTED_PROTOCOL_VERSION,
    problem: 'the protocol version is not supported',
    data: { supported: LEGACY_VERSIONS, requested: version.slice(0, 64) },
  };
  return problemReply(problem, id);
}
