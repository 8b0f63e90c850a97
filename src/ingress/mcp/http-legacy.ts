import type { CallContext } from '../../domain/call.ts';
import { Cancellation } from '../../lib/cancellation.ts';
import { answerOther, type Conversation, initializeResult, isRequest, type RpcRequest } from './answer.ts';
import type { RequestId, RpcMessage, RpcResponse } from './envelope.ts';
import { isGoverned } from './governed-request.ts';
import { type HttpExchange, headerOf, sendEmpty, sendReply } from './http-exchange.ts';
import type { HttpState } from './http-state.ts';
import type { LegacySession } from './legacy-sessions.ts';
import { listChangedText } from './list-changes.ts';
import { errorReply, invalidParamsReply, problemReply, type Reply, resultReply } from './replies.ts';
import { LEGACY_REVISIONS } from './revisions.ts';
import { INVALID_REQUEST, SESSION_NOT_FOUND, SESSION_REQUIRED, UNSUPPORTED_PROTOCOL_VERSION } from './rpc-error.ts';
import { serveCall } from './serve-call.ts';

/** Serves one POST of 2025-03-26 … 2025-11-25. */
export async function serveLegacy(state: HttpState, exchange: HttpExchange, message: RpcMessage): Promise<void> {
  const { response, principal } = exchange;
  const unsupported = unsupportedVersion(exchange, message.id);
  if (unsupported) return sendReply(response, unsupported);
  if (message.method === 'initialize' && isRequest(message)) return serveInitialize(state, exchange, message);
  const session = sessionOf(state, exchange, message.id);
  if (!session) return;
  if (!isRequest(message)) {
    if (message.method === 'notifications/cancelled') cancel(session, message);
    if (message.method === 'notifications/roots/list_changed') {
      state.services.broker.rootsChanged(principal, session.context);
    }
    return sendEmpty(response, 202);
  }
  const { context, view, client } = session;
  const conversation: Conversation = { principal, era: 'legacy', context, view, client };
  if (isGoverned(message.method, 'legacy'))
    return serveSessionCall(state, exchange, { message, conversation, session });
  sendReply(response, answerOther(state.services, conversation, message));
}

/** Takes the answer of a legacy client to a question of ours; false where it answers none of its session. */
export function takeLegacyAnswer(
  { sessions }: HttpState,
  { request, response, principal, view }: HttpExchange,
  answer: RpcResponse,
): boolean {
  const sessionId = headerOf(request, 'mcp-session-id');
  const session = sessionId === undefined ? undefined : sessions.find(sessionId, { principalId: principal.id, view });
  if (session?.client.questions?.take(answer) !== true) return false;
  sendEmpty(response, 202);
  return true;
}

/** Serves `GET /mcp`: the stream on which a session hears that its lists changed. */
export function serveLegacyStream(state: HttpState, exchange: HttpExchange): void {
  const { response, principal, request } = exchange;
  // 2026-07-28 has no GET, and a client without a session has nothing to listen to.
  if (headerOf(request, 'mcp-session-id') === undefined) {
    sendMethodNotAllowed(exchange);
    return;
  }
  const session = sessionOf(state, exchange, undefined);
  if (!session) return;
  session.unwatch?.();
  session.stream?.end();
  const stream = state.streams.open(response, {
    stillProved: () => state.provesSame(exchange),
    headers: { 'mcp-session-id': session.id },
    onClose: () => {
      if (session.stream !== stream) return;
      session.unwatch?.();
      session.unwatch = undefined;
      session.stream = undefined;
    },
  });
  session.stream = stream;
  session.unwatch = state.services.changes.watch({ principalId: principal.id, view: session.view }, (surface) =>
    stream.send(listChangedText(surface)),
  );
}

/** Serves `DELETE /mcp`: the client ends its session. */
export function serveLegacyEnd(state: HttpState, exchange: HttpExchange): void {
  if (headerOf(exchange.request, 'mcp-session-id') === undefined) {
    sendMethodNotAllowed(exchange);
    return;
  }
  const session = sessionOf(state, exchange, undefined);
  if (!session) return;
  state.sessions.end(session);
  sendEmpty(exchange.response, 204);
}

export function sendMethodNotAllowed({ response }: Pick<HttpExchange, 'response'>): void {
  response.setHeader('allow', 'POST');
  sendReply(response, errorReply(undefined, { code: SESSION_REQUIRED, message: 'Method not allowed' }, 405));
}

async function serveInitialize(
  state: HttpState,
  { response, principal, view }: HttpExchange,
  message: RpcRequest,
): Promise<void> {
  const { services, sessions } = state;
  const answer = initializeResult(message.params, services, { principal, view });
  if (!answer) {
    return sendReply(
      response,
      invalidParamsReply(message.id, 'Invalid params: `protocolVersion`, `capabilities` and `clientInfo` are required'),
    );
  }
  const session = sessions.open({ principalId: principal.id, view }, answer.protocolVersion, answer.client);
  if (!session) {
    return sendReply(response, errorReply(message.id, { code: SESSION_REQUIRED, message: 'Too many sessions' }, 503));
  }
  response.setHeader('mcp-session-id', session.id);
  sendReply(response, resultReply(message.id, answer.result, { era: 'legacy', serverInfo: services.serverInfo }));
}

async function serveSessionCall(
  state: HttpState,
  exchange: HttpExchange,
  call: { readonly message: RpcRequest; readonly conversation: Conversation; readonly session: LegacySession },
): Promise<void> {
  const { message, conversation, session } = call;
  const { id } = message;
  if (session.inFlight.has(id)) {
    const problem = { code: INVALID_REQUEST, problem: 'a request of that id is under way in this session' };
    await state.services.broker.recordMalformed({ ...conversation, ...problem });
    return sendReply(exchange.response, problemReply(problem, id));
  }
  const controller = new Cancellation();
  session.inFlight.set(id, controller);
  try {
    await serveCall(state, exchange, { message, conversation, controller });
  } finally {
    session.inFlight.delete(id);
  }
}

function cancel(session: LegacySession, { params }: RpcMessage): void {
  const id = params.requestId;
  if (typeof id === 'string' || typeof id === 'number') session.inFlight.get(id)?.abort();
}

/** What is known of a message whose session is not there. */
const NO_SESSION: CallContext = Object.freeze({ transport: 'http', protocolVersion: 'unknown', session: 'none' });

/** The session that the request names, or undefined after it was answered why not. */
function sessionOf(state: HttpState, exchange: HttpExchange, id: RequestId | undefined): LegacySession | undefined {
  const sessionId = headerOf(exchange.request, 'mcp-session-id');
  if (sessionId === undefined) {
    const error = {
      code: SESSION_REQUIRED,
      message: 'Bad Request: the header Mcp-Session-Id is required; initialize first',
    };
    sendReply(exchange.response, errorReply(id, error, 400));
    return undefined;
  }
  const { principal, view } = exchange;
  const session = state.sessions.find(sessionId, { principalId: principal.id, view });
  if (!session) {
    // Whether it is gone, another's, or of another path: the answer is the same, and the book has who asked.
    const problem = { code: SESSION_NOT_FOUND, problem: 'the principal has no session of that id' };
    void state.services.broker.recordMalformed({ principal, context: NO_SESSION, ...problem });
    sendReply(exchange.response, errorReply(id, { code: SESSION_NOT_FOUND, message: 'Session not found' }, 404));
  }
  return session;
}

function unsupportedVersion({ request }: HttpExchange, id: RequestId | undefined): Reply | undefined {
  const version = headerOf(request, 'mcp-protocol-version');
  if (version === undefined || LEGACY_REVISIONS.includes(version)) return undefined;
  const problem = {
    code: UNSUPPORTED_PROTOCOL_VERSION,
    problem: 'the protocol version is not supported',
    data: { supported: LEGACY_REVISIONS, requested: version.slice(0, 64) },
  };
  return problemReply(problem, id);
}
