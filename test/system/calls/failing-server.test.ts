// From outside: a server that fails is reported, and the others are unaffected.

import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { connectClient } from '../../fixtures/clients/mcp-clients.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { CountedHome } from '../../fixtures/homes/counted-home.ts';
import { freePort, type Served } from '../../fixtures/homes/home.ts';
import { MisbehavingServer } from '../../fixtures/servers/misbehaving-server.ts';

let counted: CountedHome;
const mute: Server[] = [];
afterEach(async () => {
  await counted.close();
  for (const server of mute.splice(0)) server.close();
});

/** Accepts connections and never says a word. */
async function muteServer(): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}));
  mute.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const http = (name: string, port: number, more = ''): Record<string, string> => ({
  [`registry/servers/${name}.yaml`]: `name: ${name}
transport: { type: streamable-http, url: "http://127.0.0.1:${port}/mcp" }
pin: auto
sharing: all
startTimeout: 1s
timeout: 1s
${more}`,
});

async function readyz(served: Served): Promise<unknown> {
  const answer = await fetch(`${served.url}/readyz`);
  return { status: answer.status, body: await answer.json() };
}

async function statuses(): Promise<readonly Record<string, unknown>[]> {
  const { stdout } = await counted.home.run(['registry', 'list', '--output', 'json']);
  const { servers } = JSON.parse(stdout) as { readonly servers: readonly Record<string, unknown>[] };
  return servers;
}

verifies('F9')(
  'servers that are gone or silent are reported with reason and date, and the broker and the others are ready',
  async () => {
    const gone = await freePort();
    counted = await CountedHome.create({ files: { ...http('gone', gone), ...http('mute', await muteServer()) } });
    const served = await counted.home.serve();
    await expect
      .poll(() => readyz(served), { timeout: 20_000 })
      .toEqual({
        status: 200,
        body: { ready: true, servers: { ready: ['counter', 'pipe'], failed: ['gone', 'mute'] } },
      });
    const [counter, failed, silent] = await statuses();
    expect(counter).toMatchObject({ name: 'counter', status: 'listed', breaker: 'closed', failures: 0 });
    expect(counter).not.toHaveProperty('error');
    expect(failed).toMatchObject({
      name: 'gone',
      status: 'failed',
      error: '`server/discover` failed: the server cannot be reached: ECONNREFUSED',
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      sessions: 0,
    });
    expect(silent).toMatchObject({
      name: 'mute',
      status: 'failed',
      error: expect.stringContaining('no response came in time'),
    });
    const health = await counted.home.run(['registry', 'list', '--status']);
    const lines = health.stdout.split('\n').map((line) => line.trim().split(/ {2,}/));
    expect(lines.slice(0, 2)).toEqual([
      ['SERVER', 'STATUS', 'BREAKER', 'ERA', 'DROPPED'],
      ['counter', 'listed', 'closed', expect.stringMatching(/^(?:modern|legacy)$/), '0'],
    ]);
    expect(health.stdout).toMatch(
      /^gone: `server\/discover` failed: the server cannot be reached: ECONNREFUSED; since 2.+ failures$/m,
    );
    const { stdout } = await counted.home.run(['registry', 'list']);
    expect(stdout).toMatch(
      /^gone +failed +streamable-http +- +.*ECONNREFUSED \(since 2.*, breaker (?:closed|open), \d+ failures\)$/m,
    );
  },
);

test('a server that fails after it was agreed to keeps its tools in the list, and a call of them says why it fails', async () => {
  const liar = await MisbehavingServer.start({ tools: ['echo'] });
  counted = await CountedHome.create({ files: http('liar', liar.port, 'tools: { echo: { risk: read } }\n') });
  const first = await counted.home.serve();
  expect((await counted.caller(first).call('liar__echo', { nonce: 'a' })).kind).toBe('result');
  await first.stop();
  await liar.close();
  const served = await counted.home.serve();
  const headers = { authorization: `Bearer ${counted.keys.get('demo')}` };
  const client = await connectClient('v1', { type: 'http', url: `${served.url}/mcp`, headers });
  expect((await client.list()).map(({ name }) => name)).toEqual(['counter__act', 'liar__echo', 'pipe__act']);
  await client.close();
  expect(await counted.caller(served).call('liar__echo', { nonce: 'b' })).toMatchObject({
    reason: 'upstream-unavailable',
  });
  expect(await counted.caller(served).call('counter__act', { nonce: 'c' })).toMatchObject({ kind: 'result' });
});
