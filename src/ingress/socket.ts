import { chmodSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import type { PostureRow } from '../domain/posture.ts';
import type { Principal } from '../domain/principal.ts';
import { type Problem, ProblemError } from '../domain/problem.ts';
import type { ViewName } from '../domain/view-name.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import type { Log } from '../telemetry/log.ts';
import { nameOf } from './mcp/answer.ts';
import { type McpPorts, type McpServices, openServices } from './mcp/services.ts';
import { type StdioStream, serveStream } from './mcp/stdio-stream.ts';
import { exposureOf } from './private-directory.ts';
import { readFirstLine } from './read-first-line.ts';
import { MAX_HELLO_BYTES, parseHello, type SocketReply } from './socket-hello.ts';

export interface SocketIngressOptions extends McpPorts {
  /** Path of the socket, inside the data directory whose lock is held. */
  readonly path: string;
  /** The principal of a declared agent, proved by the operating system's user; asked for every message. */
  readonly principalOf: (agentName: string) => Principal | undefined;
  /** Answers one request of the command line. A ProblemError it throws is told as its problems. */
  readonly admin: (method: string, params: JsonObject) => JsonValue | Promise<JsonValue>;
  /** Runs whenever the last agent stream has ended. */
  readonly onIdle?: () => void;
}

export interface SocketIngress {
  /** Agent streams that are open now. */
  readonly streams: number;
  /** Takes no more connections, waits up to `drainMs` for the calls under way, ends every stream, removes the socket. */
  close(options: { readonly drainMs: number }): Promise<void>;
}

export const socketPosture: PostureRow<'ingress-agent-unknown'> = {
  guard: 'authentication on the socket',
  when: 'no file declares the agent; other users of the machine cannot even connect',
  yields: 'ingress-agent-unknown',
  opens: null,
};

const HELLO_TIMEOUT_MS = 5_000;
const ONLY_OWNER = 0o600;
const ONLY_OWNER_DIRECTORY = 0o700;

/**
 * Opens the Unix socket of a data directory, which only its owner may connect to: that is what proves an agent on it.
 * A socket file that is there already is a dead daemon's, since the lock of the data directory is held.
 * @throws ProblemError `ingress-socket-failed`.
 */
export async function openSocketIngress(options: SocketIngressOptions): Promise<SocketIngress> {
  const { path, onIdle = () => {} } = options;
  removeStale(path);
  const services = openServices(options);
  const sockets = new Set<Socket>();
  const streams = new Set<StdioStream>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A client that breaks off is no news; what it left behind ends with `close`.
    socket.on('error', () => {});
    greet(socket, { ...options, services }, (stream) => {
      streams.add(stream);
      void stream.ended.then(() => {
        streams.delete(stream);
        if (streams.size === 0) onIdle();
      });
    }).catch((error: unknown) => {
      options.log.error('ingress.failed', { error: nameOf(error) });
      socket.destroy();
    });
  });
  await listen(server, path, options.log);
  return {
    get streams() {
      return streams.size;
    },
    close: async ({ drainMs }) => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await Promise.all([...streams].map((stream) => stream.close({ drainMs })));
      services.changes.close();
      for (const socket of sockets) socket.destroySoon();
      await closed;
    },
  };
}

type Greeting = SocketIngressOptions & { readonly services: McpServices };

async function greet(socket: Socket, options: Greeting, opened: (stream: StdioStream) => void): Promise<void> {
  const line = await readFirstLine(socket, { maxBytes: MAX_HELLO_BYTES, timeoutMs: HELLO_TIMEOUT_MS });
  const hello = line && parseHello(line);
  if (!hello) return answer(socket, { ok: false, problems: [NO_HELLO] });
  if (hello.kind === 'admin') return answer(socket, await askAdmin(hello, options));
  const { agent, server } = hello;
  const principal = options.principalOf(agent);
  if (!principal) return answer(socket, { ok: false, problems: [unknownAgent(agent)] });
  const view = server === undefined ? undefined : viewNamed(options, principal, server);
  if (server !== undefined && !view) return answer(socket, { ok: false, problems: [unknownServer(server)] });
  socket.write(`${JSON.stringify({ ok: true, result: { agent } })}\n`);
  opened(
    serveStream({
      services: options.services,
      input: socket,
      output: socket,
      principal: () => options.principalOf(agent),
      view,
    }),
  );
}

/** Of a virtual server or a server; no name is that of both. */
function viewNamed({ broker }: SocketIngressOptions, principal: Principal, name: string): ViewName | undefined {
  const candidates = [`virtual:${name}`, `server:${name}`] as const;
  return candidates.find((view) => broker.serves(principal, view));
}

function answer(socket: Socket, reply: SocketReply): void {
  socket.end(`${JSON.stringify(reply)}\n`);
}

async function askAdmin(
  { method, params }: { readonly method: string; readonly params: JsonObject },
  { admin, log }: SocketIngressOptions,
): Promise<SocketReply> {
  try {
    return { ok: true, result: await admin(method, params) };
  } catch (error) {
    if (error instanceof ProblemError) return { ok: false, problems: error.problems };
    log.error('ingress.failed', { method, error: nameOf(error) });
    return { ok: false, problems: [REQUEST_FAILED] };
  }
}

const NO_HELLO: Problem = {
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
    code: socketPosture.yields,
    at: '--agent',
    message: `no agent \`${printable(agent)}\` is declared`,
    hint: 'declare it in a file of `registry/agents/`, or name one that is there',
  };
}

function removeStale(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: ONLY_OWNER_DIRECTORY });
  const exposure = exposureOf(dirname(path));
  if (exposure !== undefined) throw socketProblem(path, exposure);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket()) throw socketProblem(path, 'something that is not a socket is there');
  unlinkSync(path);
}

function listen(server: Server, path: string, log: Log): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(socketProblem(path, error.code ?? error.name)));
    // The socket is nobody else's from its first moment: `listen` binds it before it returns.
    const umask = process.umask(0o777 & ~ONLY_OWNER);
    server.listen(path, () => {
      chmodSync(path, ONLY_OWNER);
      server.on('error', (error) => log.error('ingress.failed', { error: error.name }));
      resolve();
    });
    process.umask(umask);
  });
}

function socketProblem(path: string, why: string): ProblemError {
  return new ProblemError([
    {
      code: 'ingress-socket-failed',
      at: path,
      message: `cannot open the socket: ${why}`,
      hint: 'choose a data directory with a path of less than 90 characters that you may write to',
    },
  ]);
}
