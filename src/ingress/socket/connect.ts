import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { findDirectoryExposure } from './directory-exposure.ts';
import { formatHandshake, type HandshakeRequest, readFirstLine } from './handshake.ts';

/** Why a daemon cannot be reached: none listens, it closed the connection or did not respond, or the connection failed. */
export type UnreachableState = 'absent' | 'silent' | 'failed';

export class DaemonUnreachableError extends ProblemError {
  readonly state: UnreachableState;

  constructor(path: string, state: UnreachableState, reason: string) {
    super([
      {
        code: 'ingress-socket-failed',
        at: path,
        message: `cannot reach the daemon: ${reason}`,
        hint: 'start it with `seneschal serve`',
      },
    ]);
    this.state = state;
  }
}

const REPLY_TIMEOUT_MS = 60_000;
const MAX_REPLY_BYTES = 64 * 1_048_576;

/**
 * Connects an agent to the daemon's socket. The returned socket is paused and carries MCP after the handshake: for all
 * servers, or for the server or virtual server named `server`.
 * @throws DaemonUnreachableError `ingress-socket-failed`, or a ProblemError with the daemon's own problems.
 */
export async function connectAgent(path: string, agent: string, server?: string): Promise<Socket> {
  const { socket } = await performHandshake(path, { kind: 'agent', agent, server });
  return socket;
}

/**
 * Sends one admin request to the daemon and waits up to `timeoutMs` for its response. Default: one minute.
 * @throws as `connectAgent` does.
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
  const exposure = findDirectoryExposure(dirname(path));
  if (exposure !== undefined) throw new DaemonUnreachableError(path, 'failed', exposure);
  const socket = await connectSocket(path);
  socket.write(formatHandshake(request));
  const line = await readFirstLine(socket, { maxBytes: MAX_REPLY_BYTES, timeoutMs });
  const response: unknown = line === undefined ? undefined : JSON.parse(line.toString('utf8'));
  if (isJsonObject(response) && response.ok === true) return { socket, result: response.result ?? null };
  socket.destroy();
  // `as`: the daemon is this same program and writes the declared type.
  if (isJsonObject(response) && Array.isArray(response.problems))
    throw new ProblemError(response.problems as unknown as Problem[]);
  throw new DaemonUnreachableError(path, 'silent', 'it did not respond in time, or closed the connection');
}

function connectSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', ({ code, name }: NodeJS.ErrnoException) => {
      const state = code === 'ENOENT' || code === 'ECONNREFUSED' ? 'absent' : 'failed';
      reject(new DaemonUnreachableError(path, state, code ?? name));
    });
    socket.once('connect', () => {
      // A later error closes the socket, which its reader detects.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
}
