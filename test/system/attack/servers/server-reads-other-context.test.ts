import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnsweringClient, answeringClient } from '../../../fixtures/clients/answering-client.ts';
import type { McpEntry } from '../../../fixtures/clients/mcp-clients.ts';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { governedHome, type LedgerEntry, ledgerOf, until } from '../../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../../fixtures/homes/home.ts';
import { AskingHttpServer, askingProcess } from '../../../fixtures/servers/eliciting-server.ts';

const SERVERS = ['legacy', 'modern'] as const;
const POLICY = [...SERVERS, 'open']
  .map(
    (server) => `p, agent:demo, tool:${server}/*, call, , allow
p, agent:demo, server:${server}, elicit, , allow
p, agent:demo, server:${server}, roots, , allow
`,
  )
  .join('');
const COMBINATIONS = (['legacy', 'modern'] as const).flatMap((era) => SERVERS.map((server) => [era, server] as const));

let home: Home;
let served: Served;
let http: McpEntry;
let upstream: AskingHttpServer;
const clients = new Map<string, AnsweringClient>();

beforeAll(async () => {
  upstream = await AskingHttpServer.start('legacy');
  home = governedHome({
    policy: POLICY,
    servers: {
      open: upstream.file('open'),
      legacy: askingProcess('legacy', 'legacy'),
      modern: askingProcess('modern', 'modern'),
    },
  });
  const key = await home.key('demo');
  served = await home.serve();
  http = { type: 'http', url: `${served.url}/mcp`, headers: { authorization: `Bearer ${key}` } };
  for (const era of SERVERS) clients.set(era, await answeringClient(era, http));
  await until(async () => (await clientOf('modern').list()).length === 3);
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

/** The agent's reply, and the refused input requests recorded since. */
async function notify(client: AnsweringClient, server: string, args: Record<string, unknown>) {
  const before = ledgerOf(home).length;
  const result = await client.call(`${server}__ask`, args);
  const [block] = result.content as readonly { readonly text: string }[];
  const entries: readonly LedgerEntry[] = ledgerOf(home)
    .slice(before)
    .map(({ entry }) => entry);
  const refused = entries.filter(({ kind, action }) => kind === 'call.refused' && action !== 'call');
  return {
    text: block?.text ?? '',
    reasons: refused.map(({ action, reason }) => [action as string, reason].join(' ')),
  };
}

verifies('T7').each(COMBINATIONS)(
  'a %s user is never shown the form of a %s server that asks for a password',
  async (era, server) => {
    const client = clientOf(era);
    const { text, reasons } = await notify(client, server, { kind: 'secret' });
    expect(text).toContain('its form asks for a secret');
    expect(reasons).toEqual(['elicit question-blocked']);
    expect(client.seen).toEqual([]);
  },
);

verifies('T7').each(COMBINATIONS)(
  'a %s user is never shown a URL with a user name in it by a %s server',
  async (era, server) => {
    const client = clientOf(era);
    const { text, reasons } = await notify(client, server, { kind: 'url', url: 'https://bank.example@evil.example/' });
    expect(text).toContain('its URL contains a user name');
    expect(reasons).toEqual(['elicit question-blocked']);
    expect(client.seen).toEqual([]);
  },
);

verifies('T7').each(COMBINATIONS)(
  'a %s user is warned of a URL in letters of other scripts by a %s server',
  async (era, server) => {
    const client = clientOf(era);
    await notify(client, server, { kind: 'url', url: 'https://аpple.example/' });
    expect(client.seen[0]?.params.message).toContain(
      'Caution: the host is written in letters of other scripts: xn--pple-43d.example',
    );
  },
);

test.each(COMBINATIONS)(
  'the model of a %s client is not lent to a %s server that no row allows it',
  async (era, server) => {
    const client = clientOf(era);
    const { text, reasons } = await notify(client, server, { kind: 'model' });
    // The SDK of the modern era looks before it asks.
    expect(reasons).toEqual(server === 'legacy' ? ['sample policy-denied'] : []);
    expect(text).toContain(
      server === 'legacy' ? 'no grant lets agent:demo sample' : 'policy does not let the server request',
    );
    expect(client.seen).toEqual([]);
  },
);

test.each(COMBINATIONS)(
  'an answer of a %s client that is not what the form of a %s server asks for is not passed on',
  async (era, server) => {
    const client = clientOf(era);
    client.content = { name: 'Ana', age: -1 };
    const { text } = await notify(client, server, { kind: 'form' });
    expect(text).not.toContain('Ana');
    expect(text).toContain('the input response is not passed on');
    client.content = { name: 'Ana' };
  },
);

test.each(COMBINATIONS)('a %s agent gets a reply from a %s server that never stops asking', async (era, server) => {
  if (server === 'legacy') return;
  const { text } = await notify(clientOf(era), server, { kind: 'endless' });
  expect(text).toContain('the server requested input more than 8 times');
});

test.each(['legacy', 'modern'])('what a server asks when its call is over reaches no %s agent', async (era) => {
  const client = clientOf(era);
  await client.call('open__ask', { kind: 'late' });
  // Another client has another session with the server, so that nothing it calls can be what is asked about.
  const other = await answeringClient('modern', http, { elicitation: {} });
  const late = async (): Promise<string> => {
    const { content } = await other.call('open__ask', { kind: 'what came late' });
    return (content as readonly { readonly text: string }[])[0]?.text ?? '';
  };
  await until(async () => (await late()) !== '"nothing yet"');
  expect(await late()).toBe('-32601');
  expect(client.seen).toEqual([]);
  await other.close();
});

test('a server receives exactly the capabilities that the client declared and policy allows', async () => {
  const declaredTo = async (era: 'legacy' | 'modern', server: string): Promise<unknown> => {
    const result = await clientOf(era).call(`${server}__ask`, { kind: 'form' });
    const [block] = result.content as readonly { readonly text: string }[];
    return (JSON.parse(block?.text ?? '') as { capabilities: unknown }).capabilities;
  };
  const elicitation = { form: {}, url: {} };
  expect(await declaredTo('legacy', 'legacy')).toEqual({ elicitation, roots: { listChanged: true } });
  expect(await declaredTo('modern', 'legacy')).toEqual({ elicitation, roots: { listChanged: true } });
  expect(await declaredTo('legacy', 'modern')).toEqual({ elicitation, roots: {} });
  expect(await declaredTo('modern', 'modern')).toEqual({ elicitation, roots: {} });
});
