import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FailureMode } from '../../domain/failure-mode.ts';
import type { Clock } from '../../lib/time.ts';

export const pipeliningFailureMode: FailureMode<'connection closed'> = {
  control: 'requests in turn',
  trigger: 'more requests wait on one connection for the answers before theirs than may',
  result: 'connection closed',
  override: null,
};

/** Requests that may wait on one connection for the answers before theirs; who sends more is cut off. */
const MAX_PIPELINED = 64;

/**
 * Serves the requests of one connection one after the other. Node hands them out as they come and keeps what is written
 * until its turn: an answer that has no socket yet never closes when its client goes, and what it holds no limit sees.
 */
export function serializeRequests(handler: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    if (response.socket !== null) {
      handler(request, response);
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
      // Node is not done with handing the socket over.
      process.nextTick(() => {
        if (!response.destroyed) handler(request, response);
      });
    });
  };
}

export const connectionsFailureMode: FailureMode<'connection closed'> = {
  control: 'connections',
  trigger: 'an address has as many connections as one may have, or as many that have said nothing yet',
  result: 'connection closed',
  means: 'the one that has been silent for longest; where none has been for long and there is no room, the new one',
  override: null,
};

/** How many connections one address may have: in all, and of those that have not sent a whole head yet. */
export interface ConnectionLimits {
  readonly perAddress: number;
  readonly silentPerAddress: number;
  /** Milliseconds in which a connection may be silent whatever the others do: its head may lie unread while we are busy. */
  readonly silentMs: number;
}

const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = { perAddress: 2_048, silentPerAddress: 256, silentMs: 2_000 };

interface ClientAddress {
  /** The connections that are silent, oldest first, and since when. */
  readonly silent: Map<Socket, number>;
  connections: number;
}

/**
 * Holds connections to their limits. Who opens many and says nothing loses the oldest of them, so that a healthy client
 * of the same address (and on loopback all have one) still finds room; beyond the whole number a new one is closed.
 * Returns what is to be told of each request.
 */
export function limitConnections(
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
      const hasFreedOne = closeLongestSilent(address, clock.monotonicMs() - limits.silentMs);
      if (isFull && !hasFreedOne) {
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

/** Closes the connection that has been silent for longest, if it has been so since before `sinceMs`. */
function closeLongestSilent({ silent }: ClientAddress, sinceMs: number): boolean {
  const [oldest] = silent;
  if (oldest === undefined || oldest[1] > sinceMs) return false;
  silent.delete(oldest[0]);
  oldest[0].destroy();
  return true;
}

/**
 * Ends connections whose client reads nothing of an answer for `stalledResponseMs`. Looks once in a while, since a timer for
 * each answer costs a tenth of what a call does; whether anything was read Node's own timer finds out.
 * Returns what is to be told of each answer that begins.
 */
export function closeStalledResponses(
  server: Server,
  stalledMs: number,
): (socket: Socket, response: ServerResponse) => void {
  const responses = new Map<Socket, ServerResponse | undefined>();
  server.on('connection', (socket: Socket) => {
    responses.set(socket, undefined);
    socket.once('close', () => responses.delete(socket));
  });
  const timer = setInterval(() => {
    for (const [socket, response] of responses) {
      if (response?.writableEnded !== true) continue;
      responses.set(socket, undefined);
      // Node sets the time of an idle connection once it was read.
      if (!response.writableFinished) socket.setTimeout(stalledMs);
    }
  }, stalledMs / 2);
  timer.unref();
  server.once('close', () => clearInterval(timer));
  return (socket, response) => void responses.set(socket, response);
}
