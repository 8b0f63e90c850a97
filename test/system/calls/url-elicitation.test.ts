import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnsweringClient, answeringClient } from '../../fixtures/clients/answering-client.ts';
import { stdioEntry } from '../../fixtures/clients/stdio-shim.ts';
import { governedHome, ledgerOf, until } from '../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';
import { AskingHttpServer, askingProcess } from '../../fixtures/servers/eliciting-server.ts';

const SERVERS = ['pipes', 'http'] as const;
const POLICY = SERVERS.map(
  (server) => `p, agent:*, tool:${server}/*, call, , allow\np, agent:*, server:${server}, elicit, , allow\n`,
).join('');
const ERAS = ['legacy', 'modern'] as const;
const COMBINATIONS = ERAS.flatMap((era) => SERVERS.map((server) => [era, server] as const));

let home: Home;
let served: Served;
let upstream: AskingHttpServer;
const clients = new Map<string, AnsweringClient>();

beforeAll(async () => {
  upstream = await AskingHttpServer.start('legacy');
  // Less than the interactions last: while one goes on the deadline of its call stands still.
  const more = 'timeout: 1s\n';
  home = governedHome({
    agents: { demo: '', other: '' },
    policy: POLICY,
    servers: { pipes: askingProcess('pipes', 'legacy', more), http: upstream.file('http', more) },
  });
  const keys = { demo: await home.key('demo'), other: await home.key('other') };
  served = await home.serve({ args: ['--question-expiry', '4s'] });
  const connect = async (agent: keyof typeof keys, era: (typeof ERAS)[number]): Promise<AnsweringClient> => {
    const headers = { authorization: `Bearer ${keys[agent]}` };
    return answeringClient(era, { type: 'http', url: `${served.url}/mcp`, headers }, { elicitation: { url: {} } });
  };
  for (const era of ERAS) clients.set(era, await connect('demo', era));
  for (const name of ['same agent', 'other agent']) {
    clients.set(name, await connect(name === 'same agent' ? 'demo' : 'other', 'legacy'));
  }
  clients.set('stdio', await answeringClient('legacy', stdioEntry(home, 'demo'), { elicitation: { url: {} } }));
  await until(async () => (await clientOf('modern').list()).length === SERVERS.length);
});

afterAll(async () => {
  for (const client of clients.values()) await client.close();
  await home.close();
  await upstream.close();
});

function clientOf(era: string): AnsweringClient {
  const client = clients.get(era);
  if (!client) throw new Error('no such client');
  client.seen.length = 0;
  client.completed.length = 0;
  return client;
}

async function textOf(client: AnsweringClient, server: string, kind: string): Promise<string> {
  const { content } = await client.call(`${server}__ask`, { kind });
  const [block] = content as readonly { readonly text?: string }[];
  return block?.text ?? '';
}

test.each(COMBINATIONS)(
  'a %s user is asked once for the URL of the server on %s that says when the interaction is over',
  async (era, server) => {
    const client = clientOf(era);
    expect(await textOf(client, server, 'thrown until it is said')).toBe('"logged in"');
    expect(client.seen.map(({ params }) => params.url)).toEqual(['https://example.org/log-in']);
  },
);

test.each(COMBINATIONS)(
  'a %s user is asked once for the URL of the server on %s that never says when the interaction is over',
  async (era, server) => {
    const client = clientOf(era);
    expect(await textOf(client, server, 'thrown twice')).toBe('"logged in"');
    expect(client.seen.length).toBe(1);
  },
);

test.each(COMBINATIONS)(
  'a %s user is asked for each URL that the server on %s names by another id',
  async (era, server) => {
    const client = clientOf(era);
    expect(await textOf(client, server, 'thrown by two ids')).toBe('"logged in"');
    expect(client.seen.length).toBe(2);
  },
);

test.each(COMBINATIONS)(
  'the call of a %s agent ends without doubt where the interaction at the server on %s is not over in time',
  async (era, server) => {
    const client = clientOf(era);
    expect(await client.call(`${server}__ask`, { kind: 'thrown for ever' })).toMatchObject({
      isError: true,
      _meta: { 'dev.seneschal/decision': { reason: 'question-unfinished' } },
    });
    expect(client.seen.length).toBe(1);
    const last = ledgerOf(home).findLast(({ kind, entry }) => kind === 'call.closed' && entry.action === 'call')?.entry;
    expect(last).toMatchObject({ outcome: 'failed', reason: 'question-unfinished', inDoubt: false });
  },
);

const ASKED = ['legacy', 'stdio'].flatMap((name) => SERVERS.map((server) => [name, server] as const));

test.each(ASKED)(
  'a %s client is notified within its call that an interaction at the server on %s is complete, under the id of the request',
  async (name, server) => {
    const client = clientOf(name);
    const ownId = await textOf(client, server, 'asked, over within');
    const [asked] = client.seen.map(({ params }) => params.elicitationId);
    expect(client.completed).toEqual([asked]);
    expect(JSON.stringify(asked)).not.toBe(ownId);
  },
);

test.each(ASKED)(
  'a %s client is notified once after its call that an interaction at the server on %s is complete',
  async (name, server) => {
    const client = clientOf(name);
    await textOf(client, server, 'asked, over after');
    const [asked] = client.seen.map(({ params }) => params.elicitationId);
    expect(client.completed).toEqual([]);
    await textOf(client, server, 'asked before');
    await until(() => client.completed.length > 0);
    await textOf(client, server, 'asked before');
    await textOf(client, server, 'asked, over within');
    expect(client.completed).toEqual([asked, client.seen[1]?.params.elicitationId]);
  },
);

test('a client whose call ended with a URL error is notified that the interaction is complete', async () => {
  const client = clientOf('legacy');
  expect(await textOf(client, 'http', 'thrown until it is said')).toBe('"logged in"');
  expect(client.completed).toEqual(client.seen.map(({ params }) => params.elicitationId));
});

test('a completion for the interaction of another agent is dropped and counted', async () => {
  const [one, other] = [clientOf('legacy'), clientOf('other agent')];
  await textOf(one, 'http', 'asked, over after');
  const before = await dropped();
  expect(await textOf(other, 'http', 'asked by another')).toBe('"said"');
  await until(async () => (await dropped()) === before + 2);
  for (const client of [one, other]) {
    client.seen.length = 0;
    await textOf(client, 'http', 'asked, over within');
    expect(client.completed).toEqual(client.seen.map(({ params }) => params.elicitationId));
  }
});

test('of two clients of one agent only the asked one is notified, and an unknown id is counted', async () => {
  const [one, other] = [clientOf('legacy'), clientOf('same agent')];
  await textOf(one, 'http', 'asked, over after');
  const before = await dropped();
  expect(await textOf(other, 'http', 'asked by another')).toBe('"said"');
  await until(async () => (await dropped()) === before + 1 && one.completed.length > 0);
  expect(one.completed).toEqual(one.seen.map(({ params }) => params.elicitationId));
  await textOf(other, 'http', 'asked, over within');
  expect(other.completed).toEqual(other.seen.map(({ params }) => params.elicitationId));
});

async function dropped(): Promise<number> {
  const { stdout } = await home.run(['registry', 'list', '--output', 'json']);
  return Object(JSON.parse(stdout).servers.find(({ name }: { name: string }) => name === 'http')).droppedMessages;
}
