import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AgentClient, type ClientKind, connectClient } from '../../fixtures/clients/mcp-clients.ts';
import { stdioEntry } from '../../fixtures/clients/stdio-shim.ts';
import { type InteropHome, interopHome } from '../../fixtures/homes/interop-home.ts';
import { fetchPackages } from '../../fixtures/programs/fetched-packages.ts';
import { type ListeningServer, sdkV1Server, sdkV2Server } from '../../fixtures/servers/sdk-servers.ts';

const fetched = await fetchPackages();
const DOCUMENT = 'demo://resource/static/document/features.md';
const WAYS = [
  ['v1', 'http'],
  ['v1', 'stdio'],
  ['v2-legacy', 'http'],
  ['v2-legacy', 'stdio'],
  ['v2-modern', 'http'],
  ['v2-modern', 'stdio'],
] as const;

let at: InteropHome;
const listening: ListeningServer[] = [];
const clients = new Map<string, AgentClient>();

beforeAll(async () => {
  const [v1, v2] = await Promise.all([sdkV1Server(), sdkV2Server()]);
  listening.push(v1, v2);
  const thinking = fetched?.fileOf('@modelcontextprotocol/server-sequential-thinking', 'dist/index.js');
  at = await interopHome({ v1: v1.url, v2: v2.url, ...(thinking === undefined ? {} : { thinking }) });
  for (const [kind, transport] of WAYS) clients.set(`${kind} ${transport}`, await connect(kind, transport));
});

afterAll(async () => {
  await Promise.all([...clients.values()].map((client) => client.close()));
  await at.home.close();
  await Promise.all(listening.map((server) => server.close()));
});

function connect(kind: ClientKind, transport: 'http' | 'stdio'): Promise<AgentClient> {
  return connectClient(kind, transport === 'http' ? at.http : stdioEntry(at.home, 'demo'));
}

function clientOf(kind: ClientKind, transport: 'http' | 'stdio'): AgentClient {
  const client = clients.get(`${kind} ${transport}`);
  if (client === undefined) throw new Error(`no client ${kind} ${transport}`);
  return client;
}

const textIn = ({ content }: Record<string, unknown>): unknown => (content as { readonly text?: string }[])[0]?.text;

describe.each(WAYS)('the SDK client %s over %s', (kind, transport) => {
  test('lists, calls, reads and gets what the official servers offer', async () => {
    const client = clientOf(kind, transport);
    const names = (await client.list()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['everything__echo', 'files__read_text_file', 'memory__read_graph']));
    expect(textIn(await client.call('everything__echo', { message: 'hallo' }))).toBe('Echo: hallo');
    const path = join(at.home.path('files'), 'welcome.md');
    expect(textIn(await client.call('files__read_text_file', { path }))).toBe('# Welcome\n');
    expect(textIn(await client.call('memory__read_graph'))).toContain('"entities": []');
    expect(await client.others.read(DOCUMENT)).toMatchObject({ contents: [{ uri: DOCUMENT }] });
    expect(await client.others.get('everything__simple-prompt')).toMatchObject({ messages: [{ role: 'user' }] });
  });

  test.each(['v1', 'v2'])('lists, calls, reads and gets what a server of the SDK %s offers', async (server) => {
    const client = clientOf(kind, transport);
    expect((await client.list()).map(({ name }) => name)).toContain(`${server}__greet`);
    expect(textIn(await client.call(`${server}__greet`, { who: 'ana' }))).toBe('hello ana');
    expect(await client.others.get(`${server}__ask`)).toMatchObject({
      messages: [{ role: 'user', content: { type: 'text', text: 'greet somebody' } }],
    });
    expect(await client.others.read(`note:///${server}`)).toMatchObject({ contents: [{ text: 'noted' }] });
  });
});

describe.skipIf(fetched === undefined)('the official server of sequential thinking', () => {
  test.each(WAYS)('is called by the SDK client %s over %s', async (kind, transport) => {
    const thought = { thought: 'one', thoughtNumber: 1, totalThoughts: 1, nextThoughtNeeded: false };
    const result = await clientOf(kind, transport).call('thinking__sequentialthinking', thought);
    expect(result).toMatchObject({ structuredContent: { thoughtNumber: 1, totalThoughts: 1 } });
  });
});
