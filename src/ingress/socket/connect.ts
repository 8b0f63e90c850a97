import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { formatHandshake, type HandshakeRequest, readFirstLine } from './handshake.ts';
import { findExposure } from './private-directory.ts';

const REPLY_TIMEOUT_MS = 60_000;
const MAX_REPLY_BYTES = 64 * 1_048_576;

/**
 * Connects to the daemon's socket on behalf of an agent. The returned socket, paused, carries MCP from here on: of the
 * whole, or of one server or virtual server.
 * @throws ProblemError `ingress-socket-failed` when no daemon answers, or the daemon's own problems.
 */
export async function connectAgent(path: string, agent: string, server?: string): Promise<Socket> {
  const { socket } = await performHandshake(path, { kind: 'agent', agent, server });
  return socket;
}

/**
 * Asks the daemon one thing, and waits at most `timeoutMs` for its answer. Default: one minute.
 * @throws ProblemError as connectAgent does.
 */
export async function sendAdminRequest(
  path: string,
  method: string,
  params: JsonObject,
  timeoutMs: number = REPLY_TIMEOUT_MS,
): Promise<JsonValue> {
  const { socket, result } = await performHandshake(path, { kind: 'admin', method, params }, timeoutMs);
  socket.destroy();
  return result;
}

async function performHandshake(
  path: string,
  request: HandshakeRequest,
  timeoutMs: number = REPLY_TIMEOUT_MS,
): Promise<{ readonly socket: Socket; readonly result: JsonValue }> {
  const exposure = findExposure(dirname(path));
  if (exposure !== undefined) throw daemonUnreachable(path, exposure);
  const socket = await connectSocket(path);
  socket.write(formatHandshake(request));
  const line = await readFirstLine(socket, { maxBytes: MAX_REPLY_BYTES, timeoutMs });
  const response: unknown = line === undefined ? undefined : JSON.parse(line.toString('utf8'));
  if (isJsonObject(response) && response.ok === true) return { socket, result: response.result ?? null };
  socket.destroy();
  // `as`: the daemon is our own program, and it writes problems as they are declared.
  if (isJsonObject(response) && Array.isArray(response.problems))
    throw new ProblemError(response.problems as unknown as Problem[]);
  throw daemonUnreachable(path, 'the daemon did not answer');
}

function connectSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', (error: NodeJS.ErrnoException) => reject(daemonUnreachable(path, error.code ?? error.name)));
    socket.once('connect', () => {
      // A later error ends the stream, and whoever reads it sees that it ended.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}

function daemonUnreachable(path: string, reason: string): ProblemError {
  return new ProblemError([
    {
      code: 'ingress-socket-failed',
      at: path,
      message: `cannot reach the daemon: ${reason}`,
      hint: 'start it with `seneschal serve`',
    },
  ]);
}
