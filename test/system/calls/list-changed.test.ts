import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AgentClient, type ClientKind, connectClient, type McpEntry } from '../../fixtures/clients/mcp-clients.ts';
import { stdioEntry } from '../../fixtures/clients/stdio-shim.ts';
import { ALLOW_ALL, governedHome } from '../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';

let home: Home;
let served: Served;
const open: AgentClient[] = [];

beforeEach(async () => {
  home = governedHome({ agents: { demo: '', other: '' }, policy: ALLOW_ALL });
  served = await home.serve();
});

afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
  await home.close();
});

async function connect(kind: ClientKind, entry: McpEntry): Promise<AgentClient> {
  const client = await connectClient(kind, entry);
  open.push(client);
  await client.list();
  return client;
}

async function httpEntry(agent: string): Promise<McpEntry> {
  return { type: 'http', url: `${served.url}/mcp`, headers: { authorization: `Bearer ${await home.key(agent)}` } };
}

const WAYS = [
  ['v1', 'http'],
  ['v2-modern', 'http'],
  ['v1', 'stdio'],
  ['v2-modern', 'stdio'],
] as const;

test.each(WAYS)(
  'a client (%s, %s) is notified when its own list changes and not when that of another does',
  async (kind, transport) => {
    const entryOf = (agent: string): Promise<McpEntry> =>
      transport === 'http' ? httpEntry(agent) : Promise.resolve(stdioEntry(home, agent));
    const demo = await connect(kind, await entryOf('demo'));
    const other = await connect(kind, await entryOf('other'));
    const echoOf = (agent: string): string => `p, agent:${agent}, tool:tools/echo, call, , allow\n`;
    // A client over HTTP opens its stream some time after the handshake: it is not notified of earlier changes.
    let turn = 0;
    await vi.waitFor(
      async () => {
        turn += 1;
        const demoSees = turn % 2 === 0 ? 'p, agent:demo, tool:*, call, , allow\n' : echoOf('demo');
        home.write({ 'policies/policy.csv': `# ${turn}\n${demoSees}p, agent:other, tool:*, call, , allow\n` });
        await vi.waitFor(() => expect(served.printed().split(' policy.applied ').length - 1).toBe(turn), 20_000);
        expect(demo.changes).toBeGreaterThan(0);
      },
      { timeout: 40_000, interval: 100 },
    );
    expect(other.changes).toBe(0);
    // The other one was able to hear all the while.
    home.write({
      'policies/policy.csv': `# last\n${turn % 2 === 0 ? 'p, agent:demo, tool:*, call, , allow\n' : echoOf('demo')}${echoOf('other')}`,
    });
    await vi.waitFor(() => expect(other.changes).toBe(1), 20_000);
    expect((await other.list()).map(({ name }) => name)).toEqual(['tools__echo']);
  },
);
