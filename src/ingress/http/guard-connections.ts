import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FailureMode } from '../../domain/failure-mode.ts';
import type { Clock } from '../../lib/time.ts';

export interface ConnectionGuardOptions {
  readonly clock: Clock;
  /** Default: 2,048 connections per address, 256 of them silent, silent for at least 2 s. */
  readonly limits?: ConnectionLimits | undefined;
  /** Milliseconds after which a connection is closed if its client reads nothing of a complete response. */
  readonly stalledResponseMs: number;
}

/**
 * Protects a server from clients that open many connections, pipeline many requests, or do not read their responses.
 * @returns a function that wraps the request listener.
 */
export function guardConnections(
  server: Server,
  { clock, limits, stalledResponseMs }: ConnectionGuardOptions,
): (listener: RequestListener) => RequestListener {
  const recordRequest = limitConnections(server, clock, limits);
  const recordResponse = closeStalledResponses(server, stalledResponseMs);
  return (listener) =>
    serializeRequests((request, response) => {
      recordRequest(request.socket);
      recordResponse(request.socket, response);
      listener(request, response);
    });
}

export const pipeliningFailureMode: FailureMode<'connection closed'> = {
  control: 'pipelined requests',
  trigger: 'more requests of one connection wait for earlier responses than are allowed',
  result: 'connection closed',
  override: null,
};

/** Requests of one connection that may wait for the responses before theirs. One more closes the connection. */
const MAX_PIPELINED = 64;

/**
 * Handles the requests of one connection one after the other. Node emits pipelined requests at once and holds each
 * response back until its turn. A response without a socket emits no `close` when its client disconnects, and the bytes
 * held back count towards no limit.
 */
function serializeRequests(listener: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    if (response.socket !== null) {
      listener(request, response);
      return;
    }
    const { socket } = request;
    const waitingCount = waiting.get(socket) ?? 0;
    if (waitingCount >= MAX_PIPELINED) {
      socket.destroy();
      return;
    }
    waiting.set(socket, waitingCount + 1);
    response.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      // Node emits `socket` before it has finished assigning it.
      process.nextTick(() => {
        if (!response.destroyed) listener(request, response);
      });
    });
  };
}

export const connectionsFailureMode: FailureMode<'connection closed'> = {
  control: 'connections',
  trigger: 'an address has too many connections, or too many that have not sent a request yet',
  result: 'connection closed',
  means:
    'the connection that has been silent longest; the new one, if the address is full and none was silent for long',
  override: null,
};

/** Connections that one address may have. A connection is silent until its first request head has arrived. */
export interface ConnectionLimits {
  readonly perAddress: number;
  readonly silentPerAddress: number;
  /** Milliseconds that every connection may stay silent: a busy process may not have read its request head yet. */
  readonly silentMs: number;
}

const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = { perAddress: 2_048, silentPerAddress: 256, silentMs: 2_000 };

interface ClientAddress {
  /** Silent connections, oldest first, with the time at which each was opened. */
  readonly silent: Map<Socket, number>;
  connections: number;
}

/**
 * Limits the connections of each address. An address with too many silent connections loses the oldest of them, so that
 * a healthy client of the same address (on loopback they all share one) can still connect. If the address is full and no
 * connection was silent for long, the new one is closed.
 * @returns a function to call for each request.
 */
function limitConnections(
  server: Server,
  clock: Clock,
  limits: ConnectionLimits = DEFAULT_CONNECTION_LIMITS,
): (socket: Socket) => void {
  const addresses = new Map<string, ClientAddress>();
  const silentConnectionsOf = new WeakMap<Socket, ClientAddress['silent']>();
  server.on('connection', (socket: Socket) => {
    const name = socket.remoteAddress ?? '';
    const address = addresses.get(name) ?? { silent: new Map(), connections: 0 };
    const isFull = address.connections >= limits.perAddress;
    if (isFull || address.silent.size >= limits.silentPerAddress) {
      const hasClosedOne = closeLongestSilent(address, clock.monotonicMs() - limits.silentMs);
      if (isFull && !hasClosedOne) {
        socket.destroy();
        return;
      }
    }
    addresses.set(name, address);
    address.connections += 1;
    address.silent.set(socket, clock.monotonicMs());
    silentConnectionsOf.set(socket, address.silent);
    socket.once('close', () => {
      address.connections -= 1;
      address.silent.delete(socket);
      if (address.connections === 0 && addresses.get(name) === address) addresses.delete(name);
    });
  });
  return (socket) => void silentConnectionsOf.get(socket)?.delete(socket);
}

/** Closes the oldest silent connection if it was opened before `beforeMs`. Returns true if it did. */
function closeLongestSilent({ silent }: ClientAddress, beforeMs: number): boolean {
  const [oldest] = silent;
  if (oldest === undefined || oldest[1] > beforeMs) return false;
  silent.delete(oldest[0]);
  oldest[0].destroy();
  return true;
}

/**
 * Closes connections whose client reads nothing of a complete response for `stalledMs`. Responses are checked
 * periodically, because a timer for each would cost a tenth of a call. Node's own idle timer detects reading.
 * @returns a function to call for each response that begins.
 */
function closeStalledResponses(server: Server, stalledMs: number): (socket: Socket, response: ServerResponse) => void {
  const responses = new Map<Socket, ServerResponse | undefined>();
  server.on('connection', (socket: Socket) => {
    responses.set(socket, undefined);
    socket.once('close', () => responses.delete(socket));
  });
  const timer = setInterval(() => {
    for (const [socket, response] of responses) {
      if (response?.writableEnded !== true) continue;
      responses.set(socket, undefined);
      // Node resets the timeout of the connection once the response was read and the connection is idle.
      if (!response.writableFinished) socket.setTimeout(stalledMs);
    }
  }, stalledMs / 2);
  timer.unref();
  server.once('close', () => clearInterval(timer));
  return (socket, response) => void responses.set(socket, response);
}
