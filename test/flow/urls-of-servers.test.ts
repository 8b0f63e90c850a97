import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnsweringClient, answeringClient } from '../fixtures/answering-client.ts';
import { AskingHttpServer, askingProcess } from '../fixtures/asking-servers.ts';
import { bookOf, governedHome, until } from '../fixtures/governed-home.ts';
import type { Home, Served } from '../fixtures/home.ts';

const SERVERS = ['pipes', 'http'] as const;
const POLICY = SERVERS.map(
  (server) => `p, agent:demo, tool:${server}/*, call, , allow\np, agent:demo, server:${server}, elicit, , allow\n`,
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
    policy: POLICY,
    servers: { pipes: askingProcess('pipes', 'legacy', more), http: upstream.file('http', more) },
  });
  const key = await home.key('demo');
  served = await home.serve({ args: ['--question-expiry', '4s'] });
  const http = { type: 'http', url: `${served.url}/mcp`, headers: { authorization: `Bearer ${key}` } } as const;
  for (const era of ERAS) clients.set(era, await answeringClient(era, http, { elicitation: { url: {} } }));
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
    const last = bookOf(home).findLast(({ kind, entry }) => kind === 'call.closed' && entry.action === 'call')?.entry;
    expect(last).toMatchObject({ outcome: 'failed', reason: 'question-unfinished', inDoubt: false });
  },
);
