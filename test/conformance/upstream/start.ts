import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Everything } from './everything.ts';
import { isLocal } from './http-io.ts';
import { LegacyEndpoint } from './legacy-endpoint.ts';
import { ModernEndpoint } from './modern-endpoint.ts';

export type Era = 'legacy' | 'modern';

/** The upstream of one era, as it listens. */
export interface RunningUpstream {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts the upstream on a free port, so that it speaks one era alone. */
export async function startUpstream(era: Era): Promise<RunningUpstream> {
  const everything = new Everything();
  const endpoint = era === 'legacy' ? new LegacyEndpoint(everything) : new ModernEndpoint(everything);
  const server: Server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (!isLocal(request)) {
      response.writeHead(403).end();
      return;
    }
    endpoint.handle(request, response).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      response.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // `as`: a server that listens on TCP has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
