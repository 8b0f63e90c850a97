import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentClient, type ClientKind, connectClient } from '../../fixtures/clients/mcp-clients.ts';
import { send } from '../../fixtures/clients/raw-http.ts';
import { governedHome, ledgerOf, until } from '../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';

const EVERYTHING = resolve(
  import.meta.dirname,
  '../../../node_modules/@modelcontextprotocol/server-everything/dist/index.js',
);
const TRANSPORT = { type: 'stdio', command: process.execPath, args: [EVERYTHING, 'stdio'] };
const POLICY = `
p, agent:all, tool:*, call, , allow
p, agent:all, prompt:*, get, , allow
p, agent:all, prompt:*, complete, , allow
p, agent:all, resource:*, read, , allow
p, agent:all, resource:*, complete, , allow
p, agent:some, tool:everything/echo, call, , allow
p, agent:none, tool:other/echo, call, , allow
`;
const KINDS = ['v1', 'v2-legacy', 'v2-modern'] as const;

let home: Home;
let served: Served;
let direct: AgentClient;
const keys = new Map<string, string>();
const open: AgentClient[] = [];

beforeAll(async () => {
  const server = (name: string): string =>
    `name: ${name}\ntransport: ${JSON.stringify(TRANSPORT)}\npin: auto\nsharing: all\n`;
  home = governedHome({
    agents: { all: '', some: '', none: '' },
    servers: { everything: server('everything'), other: server('other') },
    policy: POLICY,
  });
  for (const agent of ['all', 'some', 'none']) keys.set(agent, await home.key(agent));
  served = await home.serve();
  await until(() => ledgerOf(home).length > 0 && served.printed().length > 0);
  direct = await connectClient('v1', { command: process.execPath, args: [EVERYTHING, 'stdio'] });
  open.push(direct);
  await until(async () => (await fetchStatus('/servers/everything/mcp', 'all')) === 400);
});

afterAll(async () => {
  await Promise.all(open.map((client) => client.close()));
  await home.close();
});

async function connect(kind: ClientKind, agent = 'all', path = '/servers/everything/mcp'): Promise<AgentClient> {
  const client = await connectClient(kind, {
    ...{ type: 'http', url: `${served.url}${path}` },
    headers: { authorization: `Bearer ${keys.get(agent)}` },
  });
  open.push(client);
  return client;
}

/** Posts a message that no method is in. */
async function fetchStatus(path: string, agent?: string): Promise<number> {
  return (await post(path, agent)).status;
}

function post(path: string, agent?: string): ReturnType<typeof send> {
  const authorization = agent === undefined ? {} : { authorization: `Bearer ${keys.get(agent)}` };
  return send(Number(new URL(served.url).port), {
    ...{ path, body: '{}' },
    headers: { authorization: '', ...authorization },
  });
}

const sorted = (list: readonly unknown[] | undefined): unknown[] =>
  [...(list ?? [])].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

test.each(KINDS)('%s: a server behind its own path offers what it offers directly, name by name', async (kind) => {
  const behind = await connect(kind);
  // Called as a task only, and tasks are not governed.
  const callable = (await direct.list()).filter(({ name }) => name !== 'simulate-research-query');
  const names = (list: readonly { name: string }[]): string[] => list.map(({ name }) => name).sort();
  expect(names(await behind.list())).toEqual(names(callable));
  for (const [list, member] of [
    ['prompts', 'prompts'],
    ['resources', 'resources'],
    ['templates', 'resourceTemplates'],
  ] as const) {
    const shown = (await behind.others[list]())[member] as unknown[];
    expect(sorted(shown)).toEqual(sorted((await direct.others[list]())[member] as unknown[]));
    expect(shown.length).toBeGreaterThan(0);
  }
});

test.each(KINDS)(
  '%s: calls, prompts, reads and completions are answered under the names of the server',
  async (kind) => {
    const client = await connect(kind);
    const { others } = client;
    expect(await client.call('echo', { message: 'hi' })).toMatchObject({
      content: [{ type: 'text', text: 'Echo: hi' }],
    });
    expect(await others.get('args-prompt', { city: 'Bern' })).toMatchObject({ messages: [{ role: 'user' }] });
    const uri = 'demo://resource/dynamic/text/7';
    expect(await others.read(uri)).toMatchObject({ contents: [{ uri }] });
    const department = { name: 'department', value: 'E' };
    expect(await others.completePrompt('completable-prompt', department)).toMatchObject({
      completion: { values: ['Engineering'] },
    });
  },
);

test.each(KINDS)('%s: the prefixed name of the whole, and another server, do not exist there', async (kind) => {
  const client = await connect(kind);
  for (const name of ['everything__echo', 'other__echo']) {
    await expect(client.call(name, { message: 'hi' })).rejects.toMatchObject({ code: -32602 });
  }
});

test('an agent is shown on a server what it is granted there', async () => {
  const names = (await (await connect('v2-modern', 'some')).list()).map(({ name }) => name);
  expect(names).toEqual(['echo']);
});

test('the entry of a call names the original, and where and under which name it was called', async () => {
  await (await connect('v2-modern', 'some')).call('echo', { message: 'hi' });
  const admitted = ledgerOf(home).filter(
    ({ kind, entry }) => kind === 'call.admitted' && entry.principal === 'agent:some',
  );
  expect(admitted.at(-1)?.entry.target).toMatchObject({
    id: 'tool:everything/echo',
    via: { name: 'echo', view: 'server:everything' },
  });
});

test.each(['/servers/nowhere/mcp', '/v/nowhere/mcp', '/v/everything/mcp'])(
  'a view that does not exist is answered like any path that does not exist: %s',
  async (path) => {
    expect(await fetchStatus(path)).toBe(401);
    const unknown = await post('/nothing/here', 'all');
    const answer = await post(path, 'all');
    expect([answer.status, answer.body]).toEqual([404, unknown.body]);
    expect({ ...answer.headers, date: '' }).toEqual({ ...unknown.headers, date: '' });
  },
);

test('a server of which an agent may use nothing is answered like one that does not exist', async () => {
  const hidden = await post('/servers/everything/mcp', 'none');
  const unknown = await post('/servers/nowhere/mcp', 'none');
  expect([hidden.status, hidden.body]).toEqual([404, unknown.body]);
  expect({ ...hidden.headers, date: '' }).toEqual({ ...unknown.headers, date: '' });
  expect(await fetchStatus('/servers/everything/mcp')).toBe(401);
});
