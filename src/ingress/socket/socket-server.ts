import { chmodSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { FailureMode } from '../../domain/failure-mode.ts';
import type { Principal } from '../../domain/principal.ts';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import type { ViewName } from '../../domain/target.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import type { Log } from '../../telemetry/log.ts';
import { errorName } from '../mcp/methods/handle-call.ts';
import { createServices, type McpDeps, type McpServices } from '../mcp/methods/services.ts';
import { type StdioConnection, serveStdio } from '../mcp/stdio/stdio-connection.ts';
import { type HandshakeResponse, MAX_HANDSHAKE_BYTES, parseHandshake, readFirstLine } from './handshake.ts';
import { findExposure } from './private-directory.ts';

export interface SocketServerOptions extends McpDeps {
  /** Path of the socket, inside the data directory whose lock is held. */
  readonly path: string;
  /** The principal of a declared agent, proved by the operating system's user; asked for every message. */
  readonly principalOf: (agentName: string) => Principal | undefined;
  /** Answers one request of the command line. A ProblemError it throws is told as its problems. */
  readonly admin: (method: string, params: JsonObject) => JsonValue | Promise<JsonValue>;
  /** Runs whenever the last agent stream has ended. */
  readonly onIdle?: () => void;
}

export interface SocketServer {
  /** Agent streams that are open now. */
  readonly connections: number;
  /** Takes no more connections, waits up to `drainMs` for the calls under way, ends every stream, removes the socket. */
  close(options: { readonly drainMs: number }): Promise<void>;
}

export const socketFailureMode: FailureMode<'ingress-agent-unknown'> = {
  control: 'authentication on the socket',
  trigger: 'no file declares the agent; other users of the machine cannot even connect',
  result: 'ingress-agent-unknown',
  override: null,
};

const HANDSHAKE_TIMEOUT_MS = 5_000;
const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;

/**
 * Opens the Unix socket of a data directory, which only its owner may connect to: that is what proves an agent on it.
 * A socket file that is there already is a dead daemon's, since the lock of the data directory is held.
 * @throws ProblemError `ingress-socket-failed`.
 */
export async function openSocketServer(options: SocketServerOptions): Promise<SocketServer> {
  const { path, onIdle = () => {} } = options;
  removeStaleSocket(path);
  const services = createServices(options);
  const sockets = new Set<Socket>();
  const connections = new Set<StdioConnection>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A client that breaks off is no news; what it left behind ends with `close`.
    socket.on('error', () => {});
    serveSocket(socket, { ...options, services }, (connection) => {
      connections.add(connection);
      void connection.ended.then(() => {
        connections.delete(connection);
        if (connections.size === 0) onIdle();
      });
    }).catch((error: unknown) => {
      options.log.error('ingress.failed', { error: errorName(error) });
      socket.destroy();
    });
  });
  await listen(server, path, options.log);
  return {
    get connections() {
      return connections.size;
    },
    close: async ({ drainMs }) => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await Promise.all([...connections].map((connection) => connection.close({ drainMs })));
      services.listChanges.close();
      for (const socket of sockets) socket.destroySoon();
      await closed;
    },
  };
}

type ConnectionOptions = SocketServerOptions & { readonly services: McpServices };

async function serveSocket(
  socket: Socket,
  options: ConnectionOptions,
  onStream: (connection: StdioConnection) => void,
): Promise<void> {
  const line = await readFirstLine(socket, { maxBytes: MAX_HANDSHAKE_BYTES, timeoutMs: HANDSHAKE_TIMEOUT_MS });
  const request = line && parseHandshake(line);
  if (!request) return respond(socket, { ok: false, problems: [INVALID_HANDSHAKE] });
  if (request.kind === 'admin') return respond(socket, await handleAdminRequest(request, options));
  const { agent, server } = request;
  const principal = options.principalOf(agent);
  if (!principal) return respond(socket, { ok: false, problems: [unknownAgent(agent)] });
  const view = server === undefined ? undefined : resolveView(options, principal, server);
  if (server !== undefined && !view) return respond(socket, { ok: false, problems: [unknownServer(server)] });
  socket.write(`${JSON.stringify({ ok: true, result: { agent } })}\n`);
  onStream(
    serveStdio({
      services: options.services,
      input: socket,
      output: socket,
      principal: () => options.principalOf(agent),
      view,
    }),
  );
}

/** Of a virtual server or a server; no name is that of both. */
function resolveView({ broker }: SocketServerOptions, principal: Principal, name: string): ViewName | undefined {
  const candidates = [`virtual:${name}`, `server:${name}`] as const;
  return candidates.find((view) => broker.visibleLists.isViewVisible(principal, view));
}

function respond(socket: Socket, response: HandshakeResponse): void {
  socket.end(`${JSON.stringify(response)}\n`);
}

async function handleAdminRequest(
  { method, params }: { readonly method: string; readonly params: JsonObject },
  { admin, log }: SocketServerOptions,
): Promise<HandshakeResponse> {
  try {
    return { ok: true, result: await admin(method, params) };
  } catch (error) {
    if (error instanceof ProblemError) return { ok: false, problems: error.problems };
    log.error('ingress.failed', { method, error: errorName(error) });
    return { ok: false, problems: [REQUEST_FAILED] };
  }
}

const INVALID_HANDSHAKE: Problem = {
  code: 'ingress-hello-invalid',
  at: '',
  message: 'the first line is not a greeting of this version',
  hint: 'use the same version of `seneschal` for the daemon and for the command',
};
const REQUEST_FAILED: Problem = {
  code: 'ingress-request-failed',
  at: '',
  message: 'the daemon could not answer',
  hint: "look for `ingress.failed` in the daemon's log",
};

/** Said alike of what is not there and of what the agent may use nothing of. */
function unknownServer(server: string): Problem {
  return {
    code: 'ingress-server-unknown',
    at: '--server',
    message: `no server \`${printable(server)}\` is there for the agent`,
    hint: '`seneschal registry list` shows servers and virtual servers; the agent needs a grant on something of it',
  };
}

function printable(name: string): string {
  return name.replace(/[^\w.@-]/g, '?').slice(0, 64);
}

function unknownAgent(agent: string): Problem {
  return {
    code: socketFailureMode.result,
    at: '--agent',
    message: `no agent \`${printable(agent)}\` is declared`,
    hint: 'declare it in a file of `registry/agents/`, or name one that is there',
  };
}

function removeStaleSocket(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY_DIRECTORY });
  const exposure = findExposure(dirname(path));
  if (exposure !== undefined) throw socketProblem(path, exposure);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return;
  if (!stats.isSocket()) throw socketProblem(path, 'something that is not a socket is there');
  unlinkSync(path);
}

/**
 * Binds the socket in a directory of its own that no other user may enter, and moves it to its place when only the owner
 * may connect. A umask would do the same, and belongs to the whole process: a thread cannot set it.
 */
function listen(server: Server, path: string, log: Log): Promise<void> {
  const directory = mkdtempSync(join(dirname(path), '.s-'));
  const bound = join(directory, 's');
  return new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(socketProblem(path, error.code ?? error.name)));
    server.listen(bound, () => {
      chmodSync(bound, OWNER_ONLY_FILE);
      renameSync(bound, path);
      // libuv removes the path that was bound, which is not there any more.
      server.once('close', () => rmSync(path, { force: true }));
      server.on('error', (error) => log.error('ingress.failed', { error: error.name }));
      resolve();
    });
  }).finally(() => rmSync(directory, { recursive: true, force: true }));
}

function socketProblem(path: string, reason: string): ProblemError {
  return new ProblemError([
    {
      code: 'ingress-socket-failed',
      at: path,
      message: `cannot open the socket: ${reason}`,
      hint: 'choose a data directory with a path of less than 90 characters that you may write to',
    },
  ]);
}
