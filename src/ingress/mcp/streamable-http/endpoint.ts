import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { FailureMode } from '../../../domain/failure-mode.ts';
import type { Principal } from '../../../domain/principal.ts';
import type { ViewName } from '../../../domain/target.ts';
import type { AuthHeaders } from '../../../identity/authenticate.ts';
import { SseStreams } from '../../http/sse-streams.ts';
import { errorReply, internalErrorReply, problemReply } from '../methods/reply.ts';
import { errorName, type McpServices } from '../methods/services.ts';
import { INVALID_REQUEST, type JsonRpcProblem, parseMessage, UNMATCHED_RESPONSE } from '../protocol/json-rpc.ts';
import { checkHeaderMismatch, eraOf } from '../protocol/modern-request.ts';
import type { EndpointState } from './endpoint-state.ts';
import { InFlightCalls, SendBufferBudget } from './endpoint-state.ts';
import { type HttpExchange, headerOf, readBody, sendJson, sendReply } from './http-exchange.ts';
import {
  handleLegacyResponse,
  sendMethodNotAllowed,
  serveLegacy,
  serveLegacyEnd,
  serveLegacyStream,
} from './legacy.ts';
import { LegacySessions, type SessionLimits } from './legacy-sessions.ts';
import { mcpHeadersOf, STATELESS, serveModern } from './modern.ts';

export const httpFailureModes: readonly FailureMode[] = [
  {
    control: 'authentication over HTTP',
    trigger: 'the key is missing, wrong, revoked or expired, or belongs to an agent that no file declares',
    result: 'HTTP 401',
    override: null,
  },
  { control: 'body', trigger: 'it is larger than the size limit of a message', result: 'HTTP 413', override: null },
];

const UNAUTHORIZED =
  '{"error":"unauthorized","message":"a valid API key is required: send `Authorization: Bearer <key>`"}';
const UNAVAILABLE = '{"error":"unavailable","message":"authentication is not available; try again later"}';
const STOPPING = '{"error":"unavailable","message":"the broker is stopping"}';

/**
 * Authenticates the sender of a request. Synchronous. Anything but `ok: true` with a principal, including an exception,
 * means that no principal was authenticated.
 */
export type AuthenticateRequest = (
  headers: AuthHeaders,
  connection: object,
) => { readonly ok: true; readonly principal: Principal } | { readonly ok: false };

/** Serves `/mcp` and the paths of views over HTTP, both eras. `Host` and `Origin` have been checked before. */
export class McpEndpoint {
  readonly #state: EndpointState;
  readonly #authenticate: AuthenticateRequest;
  readonly #notFound: RequestListener;
  #stopping = false;

  constructor(
    services: McpServices,
    options: {
      authenticate: AuthenticateRequest;
      /** Responds to requests for views that do not exist, as for any unknown path. */
      notFound: RequestListener;
      sessionLimits?: SessionLimits | undefined;
    },
  ) {
    this.#authenticate = options.authenticate;
    this.#notFound = options.notFound;
    this.#state = {
      services,
      sessions: new LegacySessions(services, options.sessionLimits),
      streams: new SseStreams(),
      inFlightCalls: new InFlightCalls(),
      sendBuffer: new SendBufferBudget(),
      subscriptionCounts: new Map(),
      isStillAuthenticated: ({ request, principal, view }) =>
        this.#authenticatedId(request) === principal.id && this.#isViewVisible(principal, view),
    };
  }

  /** Serves one request for `view`. Default: all servers. Every request gets a response, whatever happens. */
  handle(request: IncomingMessage, response: ServerResponse, view?: ViewName): void {
    if (this.#stopping) {
      response.setHeader('connection', 'close');
      sendJson(response, 503, STOPPING);
      return;
    }
    const principal = this.#identify(request, response);
    if (!principal) return;
    // Only after authentication: unauthenticated clients must not learn which views exist.
    if (!this.#isViewVisible(principal, view)) {
      this.#notFound(request, response);
      return;
    }
    this.#route({ request, response, principal, view }).catch((error: unknown) => {
      this.#state.services.log.error('ingress.failed', { error: errorName(error) });
      sendReply(response, internalErrorReply(undefined));
    });
  }

  /** Accepts no more requests, ends all streams, and resolves when no call is in flight. */
  drain(): Promise<void> {
    this.#stopping = true;
    this.#state.streams.close();
    this.#state.sessions.close();
    this.#state.services.listChanges.close();
    return this.#state.inFlightCalls.whenEmpty();
  }

  /** Cancels all calls in flight. */
  abort(): void {
    this.#state.inFlightCalls.abort();
  }

  #identify(request: IncomingMessage, response: ServerResponse): Principal | undefined {
    try {
      const result = this.#authenticate(request.headers, request.socket);
      // Fail closed on a verifier that returns anything but `ok: true` with a principal (CVE-2026-12773).
      if (result?.ok === true && result.principal?.id) return result.principal;
    } catch (error) {
      this.#state.services.log.error('identity.failed', { error: errorName(error) });
      sendJson(response, 503, UNAVAILABLE);
      return undefined;
    }
    response.setHeader('www-authenticate', 'Bearer realm="seneschal"');
    sendJson(response, 401, UNAUTHORIZED);
    return undefined;
  }

  #isViewVisible(principal: Principal, view: ViewName | undefined): boolean {
    return view === undefined || this.#state.services.broker.visibleLists.isViewVisible(principal, view);
  }

  #authenticatedId(request: IncomingMessage): string | undefined {
    try {
      const result = this.#authenticate(request.headers, request.socket);
      return result?.ok === true ? result.principal.id : undefined;
    } catch {
      return undefined;
    }
  }

  async #route(exchange: HttpExchange): Promise<void> {
    const { method } = exchange.request;
    if (method === 'POST') return this.#post(exchange);
    if (method === 'GET') return serveLegacyStream(this.#state, exchange);
    if (method === 'DELETE') return serveLegacyEnd(this.#state, exchange);
    sendMethodNotAllowed(exchange);
  }

  async #post(exchange: HttpExchange): Promise<void> {
    const { request, response } = exchange;
    const { limits } = this.#state.services;
    if (!isJsonType(headerOf(request, 'content-type'))) {
      return this.#reject(
        exchange,
        { code: INVALID_REQUEST, problem: 'the content type is not application/json' },
        415,
      );
    }
    if (
      !isUnencoded(headerOf(request, 'content-encoding')) ||
      !isUnencoded(headerOf(request, 'transfer-encoding'), 'chunked')
    ) {
      return this.#reject(exchange, { code: INVALID_REQUEST, problem: 'the message is encoded' }, 415);
    }
    const body = await readBody(request, limits.maxBytes);
    if (body === 'gone') return;
    if (body === 'too-large') {
      response.setHeader('connection', 'close');
      return this.#reject(exchange, { code: INVALID_REQUEST, problem: 'the message is too large' }, 413);
    }
    const envelope = parseMessage(body, limits);
    if (!envelope.ok) return this.#reject(exchange, envelope);
    if ('response' in envelope) {
      if (handleLegacyResponse(this.#state, exchange, envelope.response)) return;
      return this.#reject(exchange, UNMATCHED_RESPONSE);
    }
    const headers = mcpHeadersOf(exchange);
    const { message } = envelope;
    if (eraOf(message, headers) === 'modern') return serveModern(this.#state, exchange, { message, headers });
    const mismatch = checkHeaderMismatch(message, headers);
    if (mismatch) return this.#reject(exchange, { ...mismatch, id: message.id });
    return serveLegacy(this.#state, exchange, message);
  }

  async #reject({ principal, response }: HttpExchange, rejection: JsonRpcProblem, status?: number): Promise<void> {
    const { code, problem } = rejection;
    await this.#state.services.broker.recordMalformed({ principal, context: STATELESS, code, problem });
    const reply =
      status === undefined ? problemReply(rejection) : errorReply(undefined, { code, message: problem }, status);
    sendReply(response, reply);
  }
}

/** RFC 9110 §8.4, RFC 9112 §6.1: an encoded body is never parsed as if it were plain. Node decodes chunks and nothing else. */
function isUnencoded(encoding: string | undefined, allowed: 'identity' | 'chunked' = 'identity'): boolean {
  return encoding === undefined || encoding.toLowerCase() === allowed;
}

function isJsonType(contentType: string | undefined): boolean {
  return contentType === 'application/json' || /^application\/json[\t ]*(?:;|$)/i.test(contentType ?? '');
}
