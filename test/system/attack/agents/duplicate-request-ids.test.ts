import { afterEach, expect } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json/json.ts';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { governedHome, httpServer, processServer, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import type { Home } from '../../../fixtures/homes/home.ts';
import { legacyHandler, sendJson, serveHttp, textResponse } from '../../../fixtures/http-upstream.ts';
import { scaled } from '../../../fixtures/scale.ts';

/** Calls of all clients together over each transport; `npm run scale` makes 100,000. */
const CALLS = scaled({ small: 1_000, full: 100_000 });
const CLIENTS = 200;
/** Answers overtake each other: each waits for a time of its own up to this. */
const MAX_DELAY_MS = 500;
const LONG = 3_600_000;
const AGENTS = { one: '', two: '', three: '', four: '' };
const nonceOf = (args: JsonObject | undefined): string => (typeof args?.nonce === 'string' ? args.nonce : '');
const delayMs = (): number => Math.floor(Math.random() * MAX_DELAY_MS);

let home: Home;
afterEach(() => home.close());

interface Replies {
  /** Replies that were another's. */
  readonly mixed: string[];
  /** Replies that were no result. */
  readonly failed: string[];
  readonly made: number;
}

/** All clients call at the same time, each one call after the other, and all under id 1. */
async function repliesOf(what: string, tool: string): Promise<Replies> {
  const served = await home.serve();
  const keys = await Promise.all(Object.keys(AGENTS).map((agent) => home.key(agent)));
  const mixed: string[] = [];
  const failed: string[] = [];
  let made = 0;
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      const agent = new WireAgent(served.url, keys[client % keys.length] ?? '');
      for (let turn = 0; turn * CLIENTS + client < CALLS; turn += 1) {
        const nonce = `${client}/${turn}`;
        const answer = await agent.call(tool, { nonce, ms: delayMs() }, 1);
        made += 1;
        if (answer.isError && answer.id === 1) failed.push(`${nonce}: ${answer.body}`);
        else if (answer.text !== nonce || answer.id !== 1) mixed.push(`${nonce}: ${answer.body}`);
      }
      agent.close();
    }),
  );
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  process.stdout.write(
    `${what}: ${made} calls of ${CLIENTS} clients, ${mixed.length} mixed replies, ${failed.length} failed, ${seconds} s\n`,
  );
  return { mixed, failed, made };
}

verifies('P4')(
  '200 clients that all use id 1, over an upstream that answers in any order, each get their own answer',
  async () => {
    const ids: unknown[] = [];
    const upstream = await serveHttp(
      legacyHandler({
        echo: ({ message }, response) => {
          ids.push(message.id);
          const answer = textResponse(message.id, nonceOf(message.params.arguments));
          setTimeout(() => sendJson(response, answer), delayMs());
        },
      }),
    );
    home = governedHome({ agents: AGENTS, servers: { far: httpServer('far', upstream.url) } });
    expect(await repliesOf('HTTP', 'far__echo')).toEqual({ mixed: [], failed: [], made: CALLS });
    // Each call went out under an id of the broker's own.
    expect(new Set(ids).size).toBe(CALLS);
  },
  LONG,
);

verifies('P4')(
  '200 clients that all use id 1 and share one process on pipes each get their own answer',
  async () => {
    home = governedHome({ agents: AGENTS, servers: { tools: processServer('tools') } });
    expect(await repliesOf('one process on pipes', 'tools__slow')).toEqual({ mixed: [], failed: [], made: CALLS });
  },
  LONG,
);

verifies('P5')(
  'two ids that JavaScript would read as one are refused, and as strings each gets its own answer',
  async () => {
    const upstream = await serveHttp(
      legacyHandler({
        echo: ({ message }, response) =>
          sendJson(response, textResponse(message.id, nonceOf(message.params.arguments))),
      }),
    );
    home = governedHome({ servers: { far: httpServer('far', upstream.url) } });
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
  },
);
