import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnsweringClient, answeringClient } from '../../fixtures/clients/answering-client.ts';
import type { McpEntry } from '../../fixtures/clients/mcp-clients.ts';
import { governedHome, ledgerOf, until } from '../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';

const SERVERS = resolve(import.meta.dirname, '../../../node_modules/@modelcontextprotocol');
const file = (name: string, args: readonly string[]): string => {
  const transport = {
    type: 'stdio',
    command: process.execPath,
    args: [`${SERVERS}/server-${args[0]}/dist/index.js`, ...args.slice(1)],
  };
  return `name: ${name}\ntransport: ${JSON.stringify(transport)}\npin: auto\n`;
};
const POLICY = `
p, agent:demo, tool:everything/*, call, , allow
p, agent:demo, server:everything, elicit, , allow
p, agent:demo, server:everything, roots, , allow
p, agent:demo, tool:files/*, call, , allow
p, agent:demo, server:files, roots, , allow
`;

let home: Home;
let served: Served;
let http: McpEntry;
const open: AnsweringClient[] = [];

beforeAll(async () => {
  home = governedHome({
    policy: POLICY,
    servers: { everything: file('everything', ['everything', 'stdio']), files: file('files', ['filesystem']) },
  });
  home.write({ 'one/a.txt': 'first', 'two/b.txt': 'second' });
  const key = await home.key('demo');
  served = await home.serve();
  http = { type: 'http', url: `${served.url}/mcp`, headers: { authorization: `Bearer ${key}` } };
  const probe = await connect('modern');
  await until(async () => (await probe.list()).some((name) => name.startsWith('files__')));
  await until(async () => (await probe.list()).some((name) => name.startsWith('everything__')));
});

afterAll(async () => {
  for (const client of open) await client.close();
  await home.close();
});

async function connect(era: 'legacy' | 'modern', capabilities?: object): Promise<AnsweringClient> {
  const client = await answeringClient(era, http, capabilities);
  open.push(client);
  return client;
}

async function textOf(client: AnsweringClient, name: string, args: Record<string, unknown> = {}): Promise<string> {
  const { content } = await client.call(name, args);
  return (content as readonly { readonly text?: string }[]).map(({ text }) => text ?? '').join('\n');
}

test('tools that need client capabilities are listed, except those that policy denies', async () => {
  const names = await (await connect('modern')).list();
  expect(names).toContain('everything__trigger-elicitation-request');
  expect(names).toContain('everything__trigger-url-elicitation');
  expect(names).toContain('everything__get-roots-list');
  expect(names).not.toContain('everything__trigger-sampling-request');
});

test.each(['legacy', 'modern'] as const)('a %s client fills in the form of server-everything', async (era) => {
  const client = await connect(era);
  client.content = { name: 'Ana', check: true };
  expect(await textOf(client, 'everything__trigger-elicitation-request')).toContain('User provided the requested');
  expect(client.seen[0]?.params.message).toContain('The server "everything" asks:');
});

test.each(['legacy', 'modern'] as const)('a %s client opens the URL that server-everything throws', async (era) => {
  const client = await connect(era);
  const args = { url: `https://example.org/${era}`, errorPath: true };
  expect(await textOf(client, 'everything__trigger-url-elicitation', args)).toContain('accept');
  expect(client.seen.map(({ params }) => params.url)).toContain(`https://example.org/${era}`);
});

test.each(['legacy', 'modern'] as const)(
  'server-filesystem sees the roots of a %s client, and no others',
  async (era) => {
    const client = await connect(era);
    client.roots = [{ uri: `file://${home.path('one')}` }];
    const own = { path: home.path('one/a.txt') };
    await until(async () => (await textOf(client, 'files__read_text_file', own)) === 'first');
    expect(await textOf(client, 'files__read_text_file', { path: home.path('two/b.txt') })).toContain('Access denied');
  },
);

test('changed roots are announced to the session of their client only', async () => {
  const [mine, other] = [await connect('legacy'), await connect('legacy')];
  mine.roots = [{ uri: `file://${home.path('one')}` }];
  other.roots = [{ uri: `file://${home.path('one')}` }];
  const read = (client: AnsweringClient, path: string): Promise<string> =>
    textOf(client, 'files__read_text_file', { path: home.path(path) });
  expect(await read(mine, 'one/a.txt')).toBe('first');
  expect(await read(other, 'one/a.txt')).toBe('first');
  mine.roots = [{ uri: `file://${home.path('two')}` }];
  await mine.rootsChanged();
  await until(async () => (await read(mine, 'two/b.txt')) === 'second');
  expect(await read(mine, 'one/a.txt')).toContain('Access denied');
  expect(await read(other, 'one/a.txt')).toBe('first');
  expect(other.seen.length).toBe(1);
});

test('a client without capabilities learns which one a tool needs', async () => {
  const modern = await connect('modern', {});
  await expect(modern.call('everything__trigger-elicitation-request')).rejects.toMatchObject({ code: -32021 });
  const legacy = await connect('legacy', {});
  expect(await legacy.call('everything__trigger-elicitation-request')).toMatchObject({
    isError: true,
    _meta: { 'dev.seneschal/decision': { reason: 'capability-missing' } },
  });
});

test('no question was answered that no call caused', () => {
  const entries = ledgerOf(home).map(({ entry }) => entry);
  const calls = new Set(entries.filter(({ action }) => action === 'call').map(({ callId }) => callId));
  const asked = entries.filter(({ kind, action }) => kind === 'call.admitted' && action !== 'call');
  expect(asked.length).toBeGreaterThan(0);
  expect(asked.filter(({ causedBy }) => typeof causedBy !== 'string' || !calls.has(causedBy))).toEqual([]);
});
