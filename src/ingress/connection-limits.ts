import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** How many connections one address may have: in all, and of those that have not sent a whole head yet. */
export interface ConnectionLimits {
  readonly perAddress: number;
  readonly silentPerAddress: number;
}

const DEFAULTS: ConnectionLimits = { perAddress: 2_048, silentPerAddress: 256 };

interface Address {
  readonly silent: Set<Socket>;
  connections: number;
}

/**
 * Holds connections to their limits. Who opens many and says nothing loses the oldest of them, so that a healthy client
 * of the same address (and on loopback all have one) still finds room; beyond the whole number a new one is closed.
 * Returns what is to be told of each request.
 */
export function limitConnections(server: Server, limits: ConnectionLimits = DEFAULTS): (socket: Socket) => void {
  const addresses = new Map<string, Address>();
  const silentOf = new WeakMap<Socket, Set<Socket>>();
  server.on('connection', (socket: Socket) => {
    const name = socket.remoteAddress ?? '';
    const address = addresses.get(name) ?? { silent: new Set(), connections: 0 };
    if (address.connections >= limits.perAddress) {
      socket.destroy();
      return;
    }
    addresses.set(name, address);
    address.connections += 1;
    address.silent.add(socket);
    silentOf.set(socket, address.silent);
    socket.once('close', () => {
      address.connections -= 1;
      address.silent.delete(socket);
      if (address.connections === 0) addresses.delete(name);
    });
    const [oldest] = address.silent;
    if (address.silent.size > limits.silentPerAddress) oldest?.destroy();
  });
  return (socket) => void silentOf.get(socket)?.delete(socket);
}
