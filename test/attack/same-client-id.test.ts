import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/lib/json.ts';
import { governedHome, httpServer, WireAgent } from '../fixtures/governed-home.ts';
import { answerText, legacyAnswering, sendJson, serveHttp } from '../fixtures/upstream-http.ts';

/** Calls of all clients together; 100,000 take some minutes. */
const CALLS = Number(process.env.SENESCHAL_MIX_CALLS ?? '3000');
const CLIENTS = 200;
const nonceOf = (args: JsonObject | undefined): string => (typeof args?.nonce === 'string' ? args.nonce : '');
const AGENTS = { one: '', two: '', three: '', four: '' };

test('P4: 200 clients that all use id 1, over an upstream that answers in any order, each get their own answer', async () => {
  const ids: unknown[] = [];
  const upstream = await serveHttp(
    legacyAnswering({
      echo: ({ message }, response) => {
        ids.push(message.id);
        const answer = answerText(message.id, nonceOf(message.params.arguments));
        // Neighbours wait for different times, so that answers overtake each other.
        setTimeout(() => sendJson(response, answer), (ids.length * 7_919) % 43);
      },
    }),
  );
  const home = governedHome({ agents: AGENTS, servers: { far: httpServer('far', upstream.url) } });
  const served = await home.serve();
  const keys = await Promise.all(Object.keys(AGENTS).map((agent) => home.key(agent)));
  const mixed: string[] = [];
  let made = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      const agent = new WireAgent(served.url, keys[client % keys.length] ?? '');
      for (let turn = 0; turn * CLIENTS + client < CALLS; turn += 1) {
        const nonce = `${client}/${turn}`;
        const answer = await agent.call('far__echo', { nonce }, 1);
        made += 1;
        if (answer.text !== nonce || answer.id !== 1) mixed.push(`${nonce}: ${answer.body}`);
      }
      agent.close();
    }),
  );
  expect(mixed).toEqual([]);
  expect(made).toBe(CALLS);
  // Each call went out under an id of the broker's own.
  expect(new Set(ids).size).toBe(CALLS);
  await home.close();
});

test('P5: two ids that JavaScript would read as one are refused, and as strings each gets its own answer', async () => {
  const upstream = await serveHttp(
    legacyAnswering({
      echo: ({ message }, response) => sendJson(response, answerText(message.id, nonceOf(message.params.arguments))),
    }),
  );
  const home = governedHome({ servers: { far: httpServer('far', upstream.url) } });
  const served = await home.serve();
  const agent = new WireAgent(served.url, await home.key('demo'));
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'far__echo' };
  const meta =
    '{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';
  const callWith = (id: string, nonce: string): ReturnType<WireAgent['post']> =>
    agent.post(
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"far__echo","arguments":{"nonce":"${nonce}"},"_meta":${meta}}}`,
      headers,
    );
  const [one, other] = await Promise.all([callWith('9007199254740993', 'a'), callWith('9007199254740992', 'b')]);
  expect([one, other].map(({ status, message }) => [status, (message.error as { code: number }).code])).toEqual([
    [400, -32600],
    [400, -32600],
  ]);
  expect(upstream.called()).toEqual([]);
  const asStrings = await Promise.all([callWith('"9007199254740993"', 'a'), callWith('"9007199254740992"', 'b')]);
  expect(asStrings.map(({ id, text }) => [id, text])).toEqual([
    ['9007199254740993', 'a'],
    ['9007199254740992', 'b'],
  ]);
  agent.close();
  await home.close();
});
