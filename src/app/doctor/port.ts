import { createServer } from 'node:net';
import type { Check } from './check.ts';

/** The port of `serve` is free, or held by the broker of this very data directory. */
export const portCheck: Check = {
  name: 'port',
  run: async ({ settings, daemon }) => {
    const { host, port: wanted } = settings;
    const facts = { listens: daemon?.http ? `${daemon.http.host}:${daemon.http.port}` : null };
    // A broker that runs has its door, or was started without one; 0 takes any that is free.
    if (daemon || wanted === 0) return { findings: [], facts };
    const failure = await listenError(host, wanted);
    if (failure === undefined) return { findings: [], facts };
    const message = `cannot listen on \`${host}:${wanted}\`: ${failure}`;
    const hint = `see who holds it with \`ss -ltnp sport = :${wanted}\`, or choose another with \`--port\``;
    return { facts, findings: [{ code: 'ingress-listen-failed', at: '--port', message, hint }] };
  },
};

function listenError(host: string, wanted: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
    server.listen({ host, port: wanted }, () => server.close(() => resolve(undefined)));
  });
}
