import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { ProblemError } from '../domain/problem.ts';
import type { ViewName } from '../domain/target.ts';
import type { AuthenticateRequest } from './http/authenticate-request.ts';
import { type ConnectionLimits, closeStalledResponses, limitConnections, serializeRequests } from './http/hardening.ts';
import { createHostValidation } from './http/host-validation.ts';
import { createServices, type McpDeps } from './mcp/methods/services.ts';
import { McpEndpoint } from './mcp/streamable-http/endpoint.ts';
import { sendJson } from './mcp/streamable-http/http-exchange.ts';
import type { SessionLimits } from './mcp/streamable-http/legacy-sessions.ts';
import { probeRoutes, type Readiness } from './probes.ts';

export interface HttpServerOptions extends McpDeps {
  readonly authenticate: AuthenticateRequest;
  /** Address to listen on. Default: 127.0.0.1. */
  readonly host?: string;
  /** Port to listen on; 0 for any that is free. */
  readonly port: number;
  /** Values of `Host` beside loopback and the bound address, as `name` or `name:port`. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** Values of `Origin` beside this server's own. Default: none. */
  readonly allowedOrigins?: readonly string[];
  readonly getReadiness: () => Readiness;
  readonly sessionLimits?: SessionLimits;
  readonly connectionLimits?: ConnectionLimits;
  /**
   * Milliseconds that a head and a whole request may take to arrive, and that an answer may lie without its client reading
   * any of it. Default: 10 s, 60 s and 60 s.
   */
  readonly timeouts?: Partial<Record<'headMs' | 'requestMs' | 'stalledResponseMs', number>>;
}

export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** Takes no more calls, waits up to `drainMs` for those under way, then cancels them and closes every connection. */
  close(options: { readonly drainMs: number }): Promise<void>;
}

const DEFAULT_TIMEOUTS = { headMs: 10_000, requestMs: 60_000, stalledResponseMs: 60_000 } as const;
/** How often connections are looked at: Node's own 30 s would make three times its patience of 10 s. */
const CONNECTION_CHECK_MS = 1_000;
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 16_384;
/** After a call was cancelled its answer gets so long to leave. */
const CANCELLED_CALL_GRACE_MS = 1_000;
/** Connections get so long to end by themselves once nothing is under way. */
const CLOSE_GRACE_MS = 100;

/**
 * Opens the HTTP door: `node:http` answers `/mcp` and the paths of views itself, Express everything else. Host and Origin are checked on
 * every route before anything is read.
 * @throws ProblemError `ingress-listen-failed` when the address cannot be bound.
 */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host = '127.0.0.1', allowedHosts = [], allowedOrigins = [], authenticate, sessionLimits } = options;
  const { headMs, requestMs, stalledResponseMs } = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  let serve: RequestListener = refuse;
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: headMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(CONNECTION_CHECK_MS, headMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
      noDelay: true,
    },
    serializeRequests((request, response) => serve(request, response)),
  );
  const recordRequest = limitConnections(server, options.clock, options.connectionLimits);
  const recordResponse = closeStalledResponses(server, stalledResponseMs);
  const port = await listen(server, { host, port: options.port });
  server.on('error', (error) => options.log.error('ingress.failed', { error: error.name }));
  const isHostAllowed = createHostValidation({ host, port, allowedHosts, allowedOrigins });
  const probes = probeRoutes(options.getReadiness);
  const endpoint = new McpEndpoint(createServices(options), { authenticate, notFound: probes, sessionLimits });
  const serveOther = (request: IncomingMessage, response: ServerResponse, view: ViewName | undefined): void =>
    view === undefined ? probes(request, response) : endpoint.handle(request, response, view);
  serve = (request, response) => {
    recordRequest(request.socket);
    recordResponse(request.socket, response);
    const { url = '' } = request;
    if (!isHostAllowed(request)) refuse(request, response);
    else if (url === '/mcp' || url.startsWith('/mcp?')) endpoint.handle(request, response);
    else serveOther(request, response, viewFromPath(url));
  };
  return { host, port, close: ({ drainMs }) => closeAll(server, endpoint, drainMs) };
}

function refuse(_request: IncomingMessage, response: ServerResponse): void {
  sendJson(response, 403, '{"error":"forbidden","message":"foreign host or origin"}');
}

function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new ProblemError([
          {
            code: 'ingress-listen-failed',
            at: '--port',
            message: `cannot listen on \`${host}:${port}\`: ${error.code ?? error.name}`,
            hint: 'another program may hold the port: choose one with `--port`, or 0 for any that is free',
          },
        ]),
      );
    });
    server.listen({ host, port }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

async function closeAll(server: Server, endpoint: McpEndpoint, drainMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  const drained = endpoint.drain();
  await nextTurn();
  server.closeIdleConnections();
  if (!(await settlesWithin(drained, drainMs))) {
    endpoint.abort();
    await settlesWithin(drained, CANCELLED_CALL_GRACE_MS);
  }
  await nextTurn();
  server.closeIdleConnections();
  if (!(await settlesWithin(closed, CLOSE_GRACE_MS))) server.closeAllConnections();
  await closed;
}

/** So that farewells and last answers are handed to their sockets before those are closed: a response that ended is idle. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function settlesWithin(promise: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const settled = await Promise.race([promise.then(() => true), timedOut]);
  clearTimeout(timer);
  return settled;
}

const VIEW_PATH = /^\/(servers|v)\/([a-z0-9-]{1,63})\/mcp(?:\?|$)/;

/** The view that a path of the form `/servers/<name>/mcp` or `/v/<name>/mcp` stands for, whether there is one or not. */
export function viewFromPath(url: string): ViewName | undefined {
  const [, kind, name] = VIEW_PATH.exec(url) ?? [];
  if (name === undefined) return undefined;
  return kind === 'v' ? `virtual:${name}` : `server:${name}`;
}
