import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { ProblemError } from '../domain/problem.ts';
import type { ViewName } from '../domain/target.ts';
import { type ConnectionLimits, guardConnections } from './http/guard-connections.ts';
import { createHostValidation } from './http/host-validation.ts';
import { createServices, type McpDeps } from './mcp/methods/services.ts';
import { type AuthenticateRequest, McpEndpoint } from './mcp/streamable-http/endpoint.ts';
import { sendJson } from './mcp/streamable-http/http-exchange.ts';
import type { SessionLimits } from './mcp/streamable-http/legacy-sessions.ts';
import { probeRoutes, type Readiness } from './probes.ts';

export interface HttpServerOptions extends McpDeps {
  readonly authenticate: AuthenticateRequest;
  /** Address to bind. Default: 127.0.0.1. */
  readonly host?: string;
  /** Port to bind; 0 picks a free one. */
  readonly port: number;
  /** Values of `Host` to accept besides loopback and the bound address, as `name` or `name:port`. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** Values of `Origin` to accept besides this server's own. Default: none. */
  readonly allowedOrigins?: readonly string[];
  readonly getReadiness: () => Readiness;
  readonly sessionLimits?: SessionLimits;
  readonly connectionLimits?: ConnectionLimits;
  /** Default: see DEFAULT_TIMEOUTS. */
  readonly timeouts?: Partial<HttpTimeouts>;
}

export interface HttpTimeouts {
  /** Milliseconds in which the head of a request must arrive. */
  readonly headMs: number;
  /** Milliseconds in which a whole request must arrive. */
  readonly requestMs: number;
  /** Milliseconds after which a connection is closed if its client reads nothing of a response. */
  readonly stalledResponseMs: number;
}

export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** Accepts no more calls, waits up to `drainMs` for those in flight, then cancels them and closes all connections. */
  close(options: { readonly drainMs: number }): Promise<void>;
}

const DEFAULT_TIMEOUTS: HttpTimeouts = { headMs: 10_000, requestMs: 60_000, stalledResponseMs: 60_000 };
/** Node checks timeouts every 30 s by default, which would let a head with a limit of 10 s take up to 40 s. */
const CONNECTION_CHECK_MS = 1_000;
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER_BYTES = 16_384;
/** Time in which the reply of a cancelled call may still be sent. */
const CANCELLED_CALL_GRACE_MS = 1_000;
/** Time in which connections may close by themselves once no call is in flight. */
const CLOSE_GRACE_MS = 100;

/**
 * Opens the HTTP server. `/mcp` and the paths of views are served by `node:http` alone, everything else by the probes and
 * Express. `Host` and `Origin` are checked on every route before anything is read.
 * @throws ProblemError `ingress-listen-failed` when the address cannot be bound.
 */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host = '127.0.0.1', allowedHosts = [], allowedOrigins = [], authenticate, sessionLimits } = options;
  const { headMs, requestMs, stalledResponseMs } = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: headMs,
    requestTimeout: requestMs,
    connectionsCheckingInterval: Math.min(CONNECTION_CHECK_MS, headMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  });
  const { clock, connectionLimits: limits } = options;
  const guarded = guardConnections(server, { clock, limits, stalledResponseMs });
  // Host validation needs the port, which is known once the server listens.
  let serve: RequestListener = refuse;
  server.on(
    'request',
    guarded((request, response) => serve(request, response)),
  );
  const port = await listen(server, { host, port: options.port });
  server.on('error', (error) => options.log.error('ingress.failed', { error: error.name }));
  const isHostAllowed = createHostValidation({ host, port, allowedHosts, allowedOrigins });
  const probes = probeRoutes(options.getReadiness);
  const endpoint = new McpEndpoint(createServices(options), { authenticate, notFound: probes, sessionLimits });
  const serveOther = (request: IncomingMessage, response: ServerResponse, view: ViewName | undefined): void =>
    view === undefined ? probes(request, response) : endpoint.handle(request, response, view);
  serve = (request, response) => {
    const { url = '' } = request;
    if (!isHostAllowed(request)) refuse(request, response);
    else if (url === '/mcp' || url.startsWith('/mcp?')) endpoint.handle(request, response);
    else serveOther(request, response, viewFromPath(url));
  };
  return { host, port, close: ({ drainMs }) => closeAll(server, endpoint, drainMs) };
}

function refuse(_request: IncomingMessage, response: ServerResponse): void {
  sendJson(response, 403, '{"error":"forbidden","message":"the Host or Origin header is not allowed"}');
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
            hint: 'if another program uses the port, choose one with `--port`; `--port 0` picks a free one',
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

/** Lets close events and last replies reach their sockets: a connection whose response has ended counts as idle. */
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

/** Returns the view that `/servers/<name>/mcp` or `/v/<name>/mcp` names, whether or not it exists. */
function viewFromPath(url: string): ViewName | undefined {
  const [, kind, name] = VIEW_PATH.exec(url) ?? [];
  if (name === undefined) return undefined;
  return kind === 'v' ? `virtual:${name}` : `server:${name}`;
}
