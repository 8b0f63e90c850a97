import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { PostureRow } from '../../domain/posture.ts';
import type { Principal } from '../../domain/principal.ts';
import type { ViewName } from '../../domain/view-name.ts';
import type { AuthenticateMessage } from '../authenticate-message.ts';
import { readBody } from '../read-body.ts';
import { SseStreams } from '../sse-streams.ts';
import { internalErrorReply, nameOf } from './answer.ts';
import { ANSWERS_NOTHING, parseMessage, type RpcProblem } from './envelope.ts';
import { type HttpExchange, headerOf, sendJson, sendReply } from './http-exchange.ts';
import {
  sendMethodNotAllowed,
  serveLegacy,
  serveLegacyEnd,
  serveLegacyStream,
  takeLegacyAnswer,
} from './http-legacy.ts';
import { mirrorHeadersOf, STATELESS, serveModern } from './http-modern.ts';
import type { HttpState } from './http-state.ts';
import { LegacySessions, type SessionLimits } from './legacy-sessions.ts';
import { checkGivenHeaders, eraOf } from './modern-envelope.ts';
import { OpenCalls } from './open-calls.ts';
import { errorReply, problemReply } from './replies.ts';
import { INVALID_REQUEST } from './rpc-error.ts';
import type { McpServices } from './services.ts';
import { UnreadRoom } from './unread-room.ts';

export const httpPostures: readonly PostureRow[] = [
  {
    guard: 'authentication over HTTP',
    when: 'there is no key, or it is wrong, revoked, expired, or of an agent that no file declares',
    yields: 'HTTP 401',
    opens: null,
  },
  { guard: 'body', when: 'it is larger than a message may be', yields: 'HTTP 413', opens: null },
];

const UNAUTHORIZED = '{"error":"unauthorized","message":"a valid api key is required"}';
const UNAVAILABLE = '{"error":"unavailable","message":"nobody can be authenticated now"}';
const STOPPING = '{"error":"unavailable","message":"the broker is stopping"}';

/** `/mcp` and the paths of views over HTTP, both eras. Host and Origin are checked before it. */
export class McpEndpoint {
  readonly #state: HttpState;
  readonly #authenticate: AuthenticateMessage;
  readonly #notFound: RequestListener;
  #stopping = false;

  constructor(
    services: McpServices,
    options: {
      authenticate: AuthenticateMessage;
      /** Answers what is not there, as on any other path. */
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
      openCalls: new OpenCalls(),
      unread: new UnreadRoom(),
      subscriptionsOf: new Map(),
      provesSame: ({ request, principal, view }) =>
        this.#prove(request) === principal.id && this.#isServed(principal, view),
    };
  }

  /** Answers one request, about the whole or about the view of its path. Whatever happens is an answer. */
  handle(request: IncomingMessage, response: ServerResponse, view?: ViewName): void {
    if (this.#stopping) {
      response.setHeader('connection', 'close');
      sendJson(response, 503, STOPPING);
      return;
    }
    const principal = this.#identify(request, response);
    if (!principal) return;
    // After the proof and never before it: which views there are is nobody's to try out.
    if (!this.#isServed(principal, view)) {
      this.#notFound(request, response);
      return;
    }
    this.#route({ request, response, principal, view }).catch((error: unknown) => {
      this.#state.services.log.error('ingress.failed', { error: nameOf(error) });
      sendReply(response, internalErrorReply(undefined));
    });
  }

  /** Takes no more, ends the streams, and resolves when no call is under way. */
  drain(): Promise<void> {
    this.#stopping = true;
    this.#state.streams.close();
    this.#state.sessions.close();
    this.#state.services.changes.close();
    return this.#state.openCalls.empty();
  }

  /** Cancels the calls under way. */
  abort(): void {
    this.#state.openCalls.abort();
  }

  #identify(request: IncomingMessage, response: ServerResponse): Principal | undefined {
    try {
      const result = this.#authenticate(request.headers, request.socket);
      // A verifier that breaks its word is nobody: only a plain yes with a principal is one (CVE-2026-12773).
      if (result?.ok === true && result.principal?.id) return result.principal;
    } catch (error) {
      this.#state.services.log.error('identity.failed', { error: nameOf(error) });
      sendJson(response, 503, UNAVAILABLE);
      return undefined;
    }
    response.setHeader('www-authenticate', 'Bearer realm="seneschal"');
    sendJson(response, 401, UNAUTHORIZED);
    return undefined;
  }

  #isServed(principal: Principal, view: ViewName | undefined): boolean {
    return view === undefined || this.#state.services.broker.serves(principal, view);
  }

  #prove(request: IncomingMessage): string | undefined {
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
      return this.#refuse(
        exchange,
        { code: INVALID_REQUEST, problem: 'the content type is not application/json' },
        415,
      );
    }
    if (
      !isPlain(headerOf(request, 'content-encoding')) ||
      !isPlain(headerOf(request, 'transfer-encoding'), 'chunked')
    ) {
      return this.#refuse(exchange, { code: INVALID_REQUEST, problem: 'the message is encoded' }, 415);
    }
    const body = await readBody(request, limits.maxBytes);
    if (body === 'gone') return;
    if (body === 'too-large') {
      response.setHeader('connection', 'close');
      return this.#refuse(exchange, { code: INVALID_REQUEST, problem: 'the message is too large' }, 413);
    }
    const envelope = parseMessage(body, limits);
    if (!envelope.ok) return this.#refuse(exchange, envelope);
    if ('response' in envelope) {
      if (takeLegacyAnswer(this.#state, exchange, envelope.response)) return;
      return this.#refuse(exchange, ANSWERS_NOTHING);
    }
    const headers = mirrorHeadersOf(exchange);
    const { message } = envelope;
    if (eraOf(message, headers) === 'modern') return serveModern(this.#state, exchange, { message, headers });
    const mismatch = checkGivenHeaders(message, headers);
    if (mismatch) return this.#refuse(exchange, { ...mismatch, id: message.id });
    return serveLegacy(this.#state, exchange, message);
  }

  async #refuse({ principal, response }: HttpExchange, refusal: RpcProblem, status?: number): Promise<void> {
    const { code, problem } = refusal;
    await this.#state.services.broker.recordMalformed({ principal, context: STATELESS, code, problem });
    const reply =
      status === undefined ? problemReply(refusal) : errorReply(undefined, { code, message: problem }, status);
    sendReply(response, reply);
  }
}

/** RFC 9110 §8.4, RFC 9112 §6.1: bytes that say they are encoded are not read as what they are not; Node undoes chunks alone. */
function isPlain(encoding: string | undefined, allowed: 'identity' | 'chunked' = 'identity'): boolean {
  return encoding === undefined || encoding.toLowerCase() === allowed;
}

function isJsonType(contentType: string | undefined): boolean {
  return contentType === 'application/json' || /^application\/json[\t ]*(?:;|$)/i.test(contentType ?? '');
}
