import { once } from 'node:events';
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy that listens before it knows whom it stands before. */
export interface KeyProxy {
  readonly port: number;
  /** From now on requests go to that port of this machine, with that key. */
  standBefore(port: number, key: string): void;
  close(): Promise<void>;
}

/**
 * Adds an API key to every request and changes nothing else, `Host` and `Origin` included: the suite sends no
 * credentials. Streams pass unbuffered, and a closed side closes the other.
 */
export async function startKeyProxy(): Promise<KeyProxy> {
  let target = { port: 0, key: '' };
  const server = createServer((request, response) => {
    const passed = send({
      ...{ host: '127.0.0.1', port: target.port, method: request.method, path: request.url },
      headers: { ...request.headers, authorization: `Bearer ${target.key}` },
      setHost: false,
    });
    passed.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    passed.on('error', () => response.destroy());
    response.on('close', () => passed.destroy());
    request.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // `as`: a server that listens on TCP has such an address.
    port: (server.address() as AddressInfo).port,
    standBefore: (port, key) => {
      target = { port, key };
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
