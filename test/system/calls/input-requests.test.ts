import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnsweringClient, answeringClient } from '../../fixtures/clients/answering-client.ts';
import { stdioEntry } from '../../fixtures/clients/stdio-shim.ts';
import { governedHome, ledgerOf, until } from '../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';
import { AskingHttpServer, askingProcess } from '../../fixtures/servers/eliciting-server.ts';

const SERVERS = ['legacy-pipes', 'modern-pipes', 'legacy-http', 'modern-http'] as const;
const POLICY = SERVERS.map(
  (server) => `p, agent:demo, tool:${server}/*, call, , allow
p, agent:demo, server:${server}, elicit, , allow
p, agent:demo, server:${server}, sample, , allow
p, agent:demo, server:${server}, roots, , allow
`,
).join('');

const CLIENTS = [
  ['legacy', 'http'],
  ['modern', 'http'],
  ['legacy', 'stdio'],
  ['modern', 'stdio'],
] as const;
const COMBINATIONS = CLIENTS.flatMap(([era, transport]) => SERVERS.map((server) => [era, transport, server] as const));

let home: Home;
let served: Served;
const upstreams: AskingHttpServer[] = [];
const clients = new Map<string, AnsweringClient>();

beforeAll(async () => {
  const [legacy, modern] = await Promise.all([AskingHttpServer.start('legacy'), AskingHttpServer.start('modern')]);
  upstreams.push(legacy, modern);
  home = governedHome({
    policy: POLICY,
    servers: {
      'legacy-pipes': askingProcess('legacy-pipes', 'legacy'),
      'modern-pipes': askingProcess('modern-pipes', 'modern'),
      'legacy-http': legacy.file('legacy-http'),
      'modern-http': modern.file('modern-http'),
    },
  });
  const key = await home.key('demo');
  served = await home.serve();
  const http = { type: 'http', url: `${served.url}/mcp`, headers: { authorization: `Bearer ${key}` } } as const;
  for (const [era, transport] of CLIENTS) {
    const entry = transport === 'http' ? http : stdioEntry(home, 'demo');
    clients.set(`${era} ${transport}`, await answeringClient(era, entry));
  }
  await until(async () => (await clientOf('modern', 'http').list()).length === SERVERS.length);
});

afterAll(async () => {
  for (const client of clients.values()) await client.close();
  await home.close();
  for (const upstream of upstreams) await upstream.close();
});

function clientOf(era: string, transport: string): AnsweringClient {
  const client = clients.get(`${era} ${transport}`);
  if (!client) throw new Error('no such client');
  client.seen.length = 0;
  return client;
}

/** The responses that the server received. */
async function received(client: AnsweringClient, server: string, args: Record<string, unknown>): Promise<unknown> {
  const result = await client.call(`${server}__ask`, args);
  const [block] = result.content as readonly { readonly text: string }[];
  try {
    return (JSON.parse(block?.text ?? '') as { received: unknown }).received;
  } catch {
    return block?.text;
  }
}

test.each(COMBINATIONS)('a %s client over %s fills in the form of the server %s', async (era, transport, server) => {
  const client = clientOf(era, transport);
  client.content = { name: 'Ana', age: 7 };
  expect(await received(client, server, { kind: 'form' })).toEqual([
    { action: 'accept', content: { name: 'Ana', age: 7 } },
  ]);
  expect(client.seen.map(({ method, params }) => [method, params.message])).toEqual([
    ['elicitation/create', `The server "${server}" asks: Who are you?`],
  ]);
});

test.each(COMBINATIONS)('a %s client over %s opens the URL of the server %s', async (era, transport, server) => {
  const client = clientOf(era, transport);
  expect(await received(client, server, { kind: 'url' })).toEqual([{ action: 'accept' }]);
  expect(client.seen).toMatchObject([
    {
      method: 'elicitation/create',
      params: {
        mode: 'url',
        url: 'https://example.org/connect',
        message: `The server "${server}" asks: Connect.\nThe server asks you to open this URL: https://example.org/connect`,
      },
    },
  ]);
});

test.each(COMBINATIONS)('the model of a %s client over %s answers the server %s', async (era, transport, server) => {
  const client = clientOf(era, transport);
  expect(await received(client, server, { kind: 'model' })).toEqual([
    { role: 'assistant', content: { type: 'text', text: 'Because.' }, model: 'test-model' },
  ]);
  expect(client.seen).toMatchObject([{ method: 'sampling/createMessage', params: { maxTokens: 10 } }]);
});

test.each(COMBINATIONS)('a %s client over %s tells its roots to the server %s', async (era, transport, server) => {
  const client = clientOf(era, transport);
  expect(await received(client, server, { kind: 'roots' })).toEqual([{ roots: [{ uri: 'file:///work' }] }]);
});

test.each(COMBINATIONS)('a %s client over %s answers two questions of %s at once', async (era, transport, server) => {
  const client = clientOf(era, transport);
  client.content = { name: 'Ana' };
  expect(await received(client, server, { kind: 'two' })).toEqual([
    { action: 'accept', content: { name: 'Ana' } },
    { roots: [{ uri: 'file:///work' }] },
  ]);
  expect(client.seen.length).toBe(2);
});

test('each question is a call of its own in the record, names the call it belongs to, and replays', async () => {
  const entries = ledgerOf(home).map(({ entry }) => entry);
  const asked = entries.filter(({ kind, action }) => kind === 'call.admitted' && action !== 'call');
  expect(asked.length).toBe(COMBINATIONS.length * 6);
  const calls = new Set(entries.filter(({ action }) => action === 'call').map(({ callId }) => callId));
  expect(asked.every(({ causedBy }) => typeof causedBy === 'string' && calls.has(causedBy))).toBe(true);
  const closed = entries.filter(({ kind, action }) => kind === 'call.closed' && action !== 'call');
  expect(closed.map(({ outcome }) => outcome)).toEqual(asked.map(() => 'completed'));
  const replayed = await home.run(['replay', 'decide', '--output', 'json']);
  expect(JSON.parse(replayed.stdout)).toMatchObject({ differenceCount: 0, missing: [] });
});
