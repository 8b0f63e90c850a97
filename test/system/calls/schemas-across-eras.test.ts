// A tool of a modern server whose schemas no revision before 2026-07-28 knows, seen by real clients of both eras.
import { afterEach, expect, test } from 'vitest';
import { type AgentClient, type ClientKind, connectClient } from '../../fixtures/clients/mcp-clients.ts';
import { governedHome, httpServer, ledgerOf, until } from '../../fixtures/homes/governed-home.ts';
import type { Home } from '../../fixtures/homes/home.ts';
import { serveModernOffers } from '../../fixtures/servers/modern-features.ts';

let home: Home;
let client: AgentClient;

afterEach(async () => {
  await client.close();
  await home.close();
});

const TOOLS = [
  { name: 'plain', inputSchema: { type: 'object' } },
  {
    name: 'numbers',
    inputSchema: { type: 'object', properties: { any: true, none: false } },
    outputSchema: { type: 'array', items: { $ref: '#/$defs/n' }, $defs: { n: { type: 'integer' } } },
  },
  {
    name: 'found',
    inputSchema: { type: 'object' },
    outputSchema: { anyOf: [{ type: 'object', properties: { a: true } }, { type: 'null' }] },
  },
  {
    name: 'tree',
    inputSchema: { type: 'object' },
    outputSchema: { type: ['array', 'null'], items: { $ref: '#' } },
  },
  { name: 'wrong', inputSchema: { type: 'object' }, outputSchema: { type: 'array', items: { type: 'integer' } } },
];

const RESULTS = {
  numbers: { structuredContent: [1, 2] },
  found: { structuredContent: { a: 1 } },
  tree: { structuredContent: [[], null] },
  wrong: { structuredContent: { result: [1] } },
};

async function connected(kind: ClientKind): Promise<void> {
  const { url } = await serveModernOffers({ tools: TOOLS }, RESULTS);
  home = governedHome({ servers: { up: httpServer('up', url, { more: 'payloads: keep\n' }) } });
  const key = await home.key('demo');
  const served = await home.serve();
  client = await connectClient(kind, {
    type: 'http',
    url: `${served.url}/mcp`,
    headers: { authorization: `Bearer ${key}` },
  });
  await until(async () => (await client.list()).length === TOOLS.length);
}

/** What is structured in each tool's result; both SDKs check it against the schema that was listed. */
async function structured(...tools: readonly string[]): Promise<unknown[]> {
  const results: unknown[] = [];
  for (const tool of tools) results.push((await client.call(`up__${tool}`)).structuredContent);
  return results;
}

for (const kind of ['v1', 'v2-legacy'] as const) {
  test(`a legacy client of an SDK (${kind}) lists and calls tools whose output is no object`, async () => {
    await connected(kind);
    expect((await client.list()).map(({ name }) => name)).toEqual([
      'up__found',
      'up__numbers',
      'up__plain',
      'up__tree',
      'up__wrong',
    ]);
    expect(await structured('numbers', 'found', 'tree', 'plain')).toEqual([
      { result: [1, 2] },
      { result: { a: 1 } },
      { result: [[], null] },
      undefined,
    ]);
  });
}

test('a modern client of an SDK gets schemas and values as they are', async () => {
  await connected('v2-modern');
  expect((await client.list()).find(({ name }) => name === 'up__numbers')).toMatchObject({
    inputSchema: { type: 'object', properties: { any: true, none: false } },
    outputSchema: { type: 'array', items: { $ref: '#/$defs/n' }, $defs: { n: { type: 'integer' } } },
  });
  expect(await structured('numbers', 'found', 'tree')).toEqual([[1, 2], { a: 1 }, [[], null]]);
});

test("what is validated and recorded is the server's own form, also where a legacy agent asked", async () => {
  await connected('v1');
  await client.list();
  // The form in which legacy agents see it is not the one that the tool declares.
  expect(await client.call('up__wrong')).toMatchObject({
    isError: true,
    _meta: { 'dev.seneschal/decision': { reason: 'output-invalid' } },
  });
  await client.call('up__numbers');
  const closed = ledgerOf(home).filter(({ kind }) => kind === 'call.closed');
  const { stdout } = await home.run(['ledger', 'show', closed.at(-1)?.entry.callId ?? '', '--output', 'json']);
  expect(stdout.replaceAll(/\s/g, '')).toContain('"structuredContent":[1,2]');
});
