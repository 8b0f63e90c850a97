import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type AgentClient, type ClientKind, connectClient, SDK_CLIENTS } from '../../fixtures/clients/mcp-clients.ts';
import { stdioEntry } from '../../fixtures/clients/stdio-shim.ts';
import { governedHome, ledgerOf, processServer, until } from '../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';

const DESK = `name: desk
tools:
  include: [tools/lookup]
  rename: { say: tools/echo }
  override:
    tools/echo: { description: Says what the desk says, fixed: { nonce: from-the-desk } }
`;
let home: Home;
let served: Served;
const open: AgentClient[] = [];

async function openHome(): Promise<void> {
  home = governedHome({
    agents: { demo: '', other: '' },
    servers: { tools: processServer('tools'), more: processServer('more') },
    policy: 'p, agent:demo, tool:*, call, , allow\np, agent:other, tool:more/*, call, , allow\n',
  });
  home.write({ 'registry/virtual/desk.yaml': DESK });
  served = await home.serve();
}

async function closeHome(): Promise<void> {
  for (const client of open.splice(0)) await client.close();
  await home.close();
}

async function connect(kind: ClientKind, transport: 'http' | 'stdio', server = 'desk'): Promise<AgentClient> {
  const entry = stdioEntry(home, 'demo');
  const path = server === 'desk' ? '/v/desk/mcp' : `/servers/${server}/mcp`;
  const client = await connectClient(
    kind,
    transport === 'stdio' && 'command' in entry
      ? { ...entry, args: [...entry.args, '--server', server] }
      : {
          ...{ type: 'http', url: `${served.url}${path}` },
          headers: { authorization: `Bearer ${await home.key('demo')}` },
        },
  );
  open.push(client);
  return client;
}

const entriesOf = (kind: string): readonly Record<string, unknown>[] =>
  ledgerOf(home).flatMap((row) => (row.kind === kind ? [row.entry] : []));

describe('while the file stays', () => {
  beforeAll(openHome);
  afterAll(closeHome);

  test.each(SDK_CLIENTS)(
    '%s over %s: an agent is offered the part of the tools that the file names',
    async (kind, transport) => {
      const client = await connect(kind, transport);
      expect(await client.list()).toMatchObject([
        { name: 'lookup', description: 'the tool lookup' },
        { name: 'say', description: 'Says what the desk says', inputSchema: { properties: {} } },
      ]);
      expect(await client.call('say')).toMatchObject({ content: [{ type: 'text', text: 'from-the-desk' }] });
      expect(await client.call('say', { nonce: 'mine' })).toMatchObject({
        isError: true,
        _meta: { 'dev.seneschal/decision': { reason: 'arguments-invalid' } },
      });
      for (const name of ['echo', 'tools__echo', 'more__echo', 'slow']) {
        await expect(client.call(name, { nonce: 'n' })).rejects.toMatchObject({ code: -32602 });
      }
    },
  );

  test.each(SDK_CLIENTS)('%s over %s: one registered server is offered alone, as it is', async (kind, transport) => {
    const client = await connect(kind, transport, 'more');
    expect((await client.list()).map(({ name }) => name)).toContain('echo');
    expect(await client.call('echo', { nonce: 'n' })).toMatchObject({ content: [{ type: 'text', text: 'n' }] });
    await expect(client.call('say')).rejects.toMatchObject({ code: -32602 });
  });

  test('an agent that may use nothing of a virtual server gets the response of one that does not exist', async () => {
    const say = (server: string): ReturnType<Home['run']> =>
      home.run(['stdio', '--agent', 'other', '--server', server], { input: '' });
    const [hidden, absent] = await Promise.all([say('desk'), say('nowhere')]);
    expect([hidden.code, absent.code]).toEqual([2, 2]);
    expect(hidden.stderr.replaceAll('desk', 'nowhere')).toBe(absent.stderr);
    expect(absent.stderr).toContain('the agent cannot use a server `nowhere`  (ingress-server-unknown)');
  });
});

describe('on its own', () => {
  beforeEach(openHome);
  afterEach(closeHome);

  test('the ledger has the source tool and its exposed name, and a replay gives no difference', async () => {
    const client = await connect('v2-modern', 'http');
    await client.call('say');
    await client.call('say', { nonce: 'mine' });
    await client.call('echo', { nonce: 'n' }).catch(() => {});
    const via = { name: 'say', view: 'virtual:desk' };
    expect(entriesOf('call.admitted')).toMatchObject([{ target: { id: 'tool:tools/echo', via } }]);
    expect(entriesOf('call.refused')).toMatchObject([
      { target: { id: 'tool:tools/echo', via }, reason: 'arguments-invalid' },
      { target: { id: 'tool:unknown', exposedName: 'echo', via: { name: 'echo', view: 'virtual:desk' } } },
    ]);
    const { code, stdout } = await home.run(['replay', 'decide', '--output', 'json']);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { calls: 3, differenceCount: 0, missing: [] }]);
  });

  test('a changed file is in force at once, notifies its own view only, and a broken one changes nothing', async () => {
    const desk = await connect('v1', 'stdio');
    const more = await connect('v1', 'stdio', 'more');
    await Promise.all([desk.list(), more.list()]);
    home.write({ 'registry/virtual/desk.yaml': DESK.replace('include: [tools/lookup]', 'include: [tools/slow]') });
    await vi.waitFor(() => expect(desk.changes).toBe(1), 20_000);
    expect((await desk.list()).map(({ name }) => name)).toEqual(['say', 'slow']);
    expect(more.changes).toBe(0);
    home.write({ 'registry/virtual/desk.yaml': DESK.replace('rename', 'renames') });
    await served.said('registry/virtual/desk.yaml:4:3: unknown key `renames`');
    expect((await desk.list()).map(({ name }) => name)).toEqual(['say', 'slow']);
    expect(await desk.call('say')).toMatchObject({ content: [{ text: 'from-the-desk' }] });
  });

  test('`policy check` says what a virtual server names that is not pinned, and that no agent may use any of it', async () => {
    await until(async () => (await home.run(['registry', 'list'])).stdout.includes('desk     /v/desk/mcp  2'));
    expect((await home.run(['policy', 'check'])).stdout).not.toContain('desk.yaml');
    const lost = DESK.replace('tools/lookup', 'tools/lokup, gone/*').replace('say: tools/echo', 'say: tools/ecoh');
    home.write({
      'registry/virtual/desk.yaml': lost.replace('    tools/echo:', '    tools/ecoh:'),
      'registry/virtual/back.yaml': 'name: back\ntools: { include: [tools/lookup] }\n',
      'policies/policy.csv': 'p, agent:other, tool:more/*, call, , allow\n',
    });
    const reported = (await home.run(['policy', 'check'])).stdout.replaceAll(/\S*registry\/virtual/g, 'virtual');
    const ungranted = 'virtual/back.yaml:1:7: no agent may use anything of the virtual server `back`';
    expect(reported.split('\n')).toEqual([
      'warning: virtual/desk.yaml:3:26: there is no server `gone`  (registry-original-unknown)',
      'hint: servers are declared in `registry/servers/<name>.yaml`',
      'warning: virtual/desk.yaml:4:18: the tool `tools/ecoh` is not pinned, so it is not shown  (registry-original-unknown)',
      'hint: did you mean `tools/echo`?',
      'warning: virtual/desk.yaml:6:5: the tool `tools/ecoh` is not pinned, so it is not shown  (registry-original-unknown)',
      'hint: did you mean `tools/echo`?',
      'warning: virtual/desk.yaml:3:13: `tools/lokup` matches no pinned tool  (registry-original-unknown)',
      'hint: run `seneschal registry list` to see the tools and prompts, and `seneschal registry pin` to pin them',
      `warning: ${ungranted}  (registry-view-ungranted)`,
      'hint: grant some of its tools in `policy.csv`: a virtual server grants nothing by itself',
      '',
    ]);
    expect((await home.run(['doctor'])).stdout).toContain(ungranted);
  });

  test('`registry list` shows how much a virtual server shows, and what of its file does not hold', async () => {
    home.write({ 'registry/virtual/desk.yaml': `${DESK}    tools/ecoh: { description: never }\n` });
    const refused = 'registry/virtual/desk.yaml:7:5: the override of `tools/ecoh` has no effect';
    await served.said(refused);
    home.write({ 'registry/virtual/desk.yaml': DESK.replace('tools/lookup', '"tools/l*", tools/lokup') });
    await until(async () => (await home.run(['registry', 'list'])).stdout.includes('matches nothing'));
    const { stdout } = await home.run(['registry', 'list']);
    expect(stdout).toContain('VIRTUAL  PATH         TOOLS  PROMPTS  RESOURCES  TEMPLATES\n');
    expect(stdout).toContain('desk     /v/desk/mcp  2      0        0          0');
    expect(stdout).toMatch(
      /registry\/virtual\/desk\.yaml:3:25: `tools\/lokup` matches nothing; run `seneschal registry list` to see the features of each server/,
    );
  });
});
