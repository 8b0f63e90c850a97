import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { type Answered, governedHome, ledgerOf, until, WireAgent } from '../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';
import { ANSWERS_FORMS, AskingHttpServer, askingProcess } from '../../fixtures/servers/eliciting-server.ts';

const SERVERS = ['pipes', 'http'] as const;
const POLICY = SERVERS.map(
  (server) => `p, agent:demo, tool:${server}/*, call, , allow\np, agent:demo, server:${server}, elicit, , allow\n`,
).join('');
const ANSWER = { action: 'accept', content: { name: 'Ana' } } as const;

let home: Home;
let served: Served;
let upstream: AskingHttpServer;
let modern: WireAgent;
const legacy = new Client({ name: 'legacy', version: '1' }, { capabilities: { elicitation: {} } });
/** What the legacy client was asked and what became of it. */
const seen: string[] = [];

beforeAll(async () => {
  upstream = await AskingHttpServer.start('legacy');
  const more = 'timeout: 2s\n';
  home = governedHome({
    policy: POLICY,
    servers: { pipes: askingProcess('pipes', 'legacy', more), http: upstream.file('http', more) },
  });
  const key = await home.key('demo');
  served = await home.serve();
  modern = new WireAgent(served.url, key);
  await until(async () => (await modern.tools()).length === SERVERS.length);
  legacy.setRequestHandler(ElicitRequestSchema, async ({ params: { message } }, { signal }) => {
    seen.push(message);
    if (message.endsWith('Second?')) return { ...ANSWER, content: { ...ANSWER.content } };
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    seen.push('taken back');
    return { action: 'cancel' as const };
  });
  const requestInit = { headers: { authorization: `Bearer ${key}` } };
  // `as`: the transport does not satisfy its own interface under exactOptionalPropertyTypes.
  await legacy.connect(new StreamableHTTPClientTransport(new URL(`${served.url}/mcp`), { requestInit }) as never);
});

afterAll(async () => {
  await legacy.close();
  modern.close();
  await home.close();
  await upstream.close();
});

function callModern(server: string, kind: string, more: object = {}): Promise<Answered> {
  const name = `${server}__ask`;
  return modern.ask('tools/call', { name, arguments: { kind }, _meta: ANSWERS_FORMS, ...more }, { name });
}

interface Waiting {
  readonly requestState: string;
  readonly inputRequests: Readonly<Record<string, { readonly params: JsonObject }>>;
}

const waitingIn = ({ message }: Answered): Waiting => message.result as never;
const messagesOf = (waiting: Waiting): unknown[] =>
  Object.values(waiting.inputRequests).map(({ params }) => params.message);

/** Outcomes of the recorded input requests, in order. */
const ends = (): unknown[] =>
  ledgerOf(home)
    .filter(({ entry }) => entry.kind === 'call.closed' && entry.action === 'elicit')
    .map(({ entry }) => entry.reason ?? entry.outcome);

test.each(SERVERS)('a legacy client is notified when the server on %s cancels its input request', async (server) => {
  const [before, endsBefore] = [seen.length, ends().length];
  const result = await legacy.callTool({ name: `${server}__ask`, arguments: { kind: 'taken back' } });
  expect(seen.slice(before)).toEqual([
    `The server "${server}" asks: First?`,
    'taken back',
    `The server "${server}" asks: Second?`,
  ]);
  expect(result.content).toEqual([{ type: 'text', text: JSON.stringify({ received: ['taken back', ANSWER] }) }]);
  expect(ends().slice(endsBefore)).toEqual(['cancelled', 'completed']);
});

test.each(SERVERS)(
  'an input request that the server on %s cancelled is not repeated when a modern client retries',
  async (server) => {
    const endsBefore = ends().length;
    let waiting = waitingIn(await callModern(server, 'taken back'));
    expect(messagesOf(waiting)).toEqual([`The server "${server}" asks: First?`]);
    for (
      let tries = 0;
      tries < 60 && !messagesOf(waiting).some((message) => /Second/.test(String(message)));
      tries += 1
    ) {
      const { requestState } = waiting;
      waiting = waitingIn(await callModern(server, 'taken back', { requestState, inputResponses: {} }));
    }
    expect(messagesOf(waiting)).toEqual([`The server "${server}" asks: Second?`]);
    const [key = ''] = Object.keys(waiting.inputRequests);
    const { requestState } = waiting;
    const last = await callModern(server, 'taken back', { requestState, inputResponses: { [key]: ANSWER } });
    expect(last.text).toBe(JSON.stringify({ received: ['taken back', ANSWER] }));
    expect(ends().slice(endsBefore)).toEqual(['cancelled', 'completed']);
  },
);

test.each(SERVERS)(
  'the deadline of a call runs again when the server on %s takes its question back',
  async (server) => {
    const result = await legacy.callTool({ name: `${server}__ask`, arguments: { kind: 'taken back, then silent' } });
    expect(result.isError).toBe(true);
    expect(JSON.stringify(result)).toContain('upstream-timeout');
  },
);
