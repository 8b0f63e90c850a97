import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { FailureMode } from '../../domain/failure-mode.ts';
import type { Principal } from '../../domain/principal.ts';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import type { ViewName } from '../../domain/target.ts';
import type { JsonObject, JsonValue } from '../../lib/json/json.ts';
import type { Log } from '../../telemetry/log.ts';
import { createServices, errorName, type McpDeps, type McpServices } from '../mcp/methods/services.ts';
import { type StdioConnection, serveStdio } from '../mcp/stdio/stdio-connection.ts';
import { findDirectoryExposure } from './directory-exposure.ts';
import { type HandshakeResponse, MAX_HANDSHAKE_BYTES, parseHandshake, readFirstLine } from './handshake.ts';

export interface SocketServerOptions extends McpDeps {
  /** Path of the socket, inside the data directory whose lock is held. */
  readonly path: string;
  /** Returns the principal of a declared agent, authenticated by the operating-system user. Called for every message. */
  readonly principalOf: (agentName: string) => Principal | undefined;
  /** Handles one request of the command line. The problems of a ProblemError that it throws are sent as the response. */
  readonly admin: (method: string, params: JsonObject) => JsonValue | Promise<JsonValue>;
  /** Called whenever the last agent stream has ended. */
  readonly onIdle?: () => void;
}

export interface SocketServer {
  /** Number of open agent streams. */
  readonly connections: number;
  /** Accepts no more connections, waits up to `drainMs` for the calls in flight, ends all streams, removes the socket. */
  close(options: { readonly drainMs: number }): Promise<void>;
}

export const socketFailureMode: FailureMode<'ingress-agent-unknown'> = {
  control: 'authentication on the socket',
  trigger: 'no file declares the agent (other users of the machine cannot connect at all)',
  result: 'ingress-agent-unknown',
  override: null,
};

const HANDSHAKE_TIMEOUT_MS = 5_000;
const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;

/**
 * Opens the Unix socket of a data directory. Only the owner can connect, which authenticates the agents on it. An existing
 * socket file was left by a daemon that has ended, because this process holds the lock of the data directory.
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
    // A client that disconnects is not an error. `close` follows and cleans up.
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

/** Finds the view of a virtual server or a server. No name belongs to both. */
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
  message: 'the first line on the socket is not a handshake of this version',
  hint: 'run the same version of `seneschal` as the daemon and as the command',
};
const REQUEST_FAILED: Problem = {
  code: 'ingress-request-failed',
  at: '',
  message: 'the daemon failed to handle the request',
  hint: "see `ingress.failed` in the daemon's log",
};

/** One problem for a server that does not exist and for one that the agent may not use. */
function unknownServer(server: string): Problem {
  return {
    code: 'ingress-server-unknown',
    at: '--server',
    message: `the agent cannot use a server \`${printable(server)}\``,
    hint: 'list servers and virtual servers with `seneschal registry list`; the agent needs a grant on one of its features',
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
    hint: 'add a file for it to `registry/agents/`, or name a declared agent',
  };
}

function removeStaleSocket(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY_DIRECTORY });
  const exposure = findDirectoryExposure(dirname(path));
  if (exposure !== undefined) throw socketProblem(path, exposure);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return;
  if (!stats.isSocket()) throw socketProblem(path, 'a file that is not a socket has this path');
  unlinkSync(path);
}

/**
 * Binds the socket in a new directory that no other user can enter, restricts it to the owner, and moves it to its path.
 * A umask would be simpler, but it belongs to the process and a worker thread cannot set it.
 */
async function listen(server: Server, path: string, log: Log): Promise<void> {
  let directory: string | undefined;
  try {
    directory = mkdtempSync(join(dirname(path), '.s-'));
    const bound = join(directory, 's');
    server.listen(bound);
    await once(server, 'listening');
    chmodSync(bound, OWNER_ONLY_FILE);
    renameSync(bound, path);
  } catch (error) {
    server.close();
    throw socketProblem(path, systemCode(error));
  } finally {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
  // libuv would remove the path that was bound, which no longer exists.
  server.once('close', () => rmSync(path, { force: true }));
  server.on('error', (error) => log.error('ingress.failed', { error: error.name }));
}

/** The system's code of an error, such as `EACCES`. @throws the error if it has none, because then it is a defect. */
function systemCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  throw error;
}

function socketProblem(path: string, reason: string): ProblemError {
  return new ProblemError([
    {
      code: 'ingress-socket-failed',
      at: path,
      message: `cannot open the socket: ${reason}`,
      hint: 'choose a data directory that you can write to, with a path of less than 90 characters',
    },
  ]);
}
