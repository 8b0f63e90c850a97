import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  type AgentClient,
  type ClientKind,
  connectClient,
  type McpEntry,
  printedEntries,
} from '../../fixtures/clients/mcp-clients.ts';
import { exampleHome, officialServers } from '../../fixtures/homes/example-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';

/** What the policy of the example grants to `agent:builder`, and what each tool is asked here. */
const GRANTED: readonly (readonly [name: string, args: Record<string, unknown>])[] = [
  ['everything__echo', { message: 'hallo wörld' }],
  ['everything__get-structured-content', { location: 'Chicago' }],
  ['everything__get-sum', { a: 2, b: 3 }],
  ['files__edit_file', { path: 'data/files/notes.md', edits: [{ oldText: 'one', newText: 'two' }] }],
  ['files__get_file_info', { path: 'data/files/welcome.md' }],
  ['files__list_allowed_directories', {}],
  ['files__list_directory', { path: 'data/files' }],
  ['files__list_directory_with_sizes', { path: 'data/files' }],
  ['files__read_file', { path: 'data/files/orders.csv' }],
  ['files__read_media_file', { path: 'data/files/dot.gif' }],
  ['files__read_multiple_files', { paths: ['data/files/welcome.md', 'data/files/absent.md'] }],
  ['files__read_text_file', { path: 'data/files/welcome.md', head: 2 }],
  ['files__search_files', { path: 'data/files', pattern: '*.md' }],
  ['files__write_file', { path: 'data/files/notes.md', content: 'written\n' }],
  ['memory__add_observations', { observations: [{ entityName: 'Ana', contents: ['likes tea'] }] }],
  ['memory__create_entities', { entities: [{ name: 'Ana', entityType: 'person', observations: ['owns files'] }] }],
  ['memory__create_relations', { relations: [{ from: 'Ana', to: 'Ana', relationType: 'knows' }] }],
  ['memory__open_nodes', { names: ['Ana'] }],
  ['memory__read_graph', {}],
  ['memory__search_nodes', { query: 'tea' }],
];
/** Creates an entity before observations are added to it. */
const IN_ORDER = [...GRANTED].sort(
  ([one], [other]) => Number(other === 'memory__create_entities') - Number(one === 'memory__create_entities'),
);

const CLIENTS = [
  ['the SDK v1 client', 'v1', 'http', '2025-11-25'],
  ['the SDK v2 client with the old handshake', 'v2-legacy', 'http', '2025-11-25'],
  ['the SDK v2 client', 'v2-modern', 'http', '2026-07-28'],
  ['the SDK v1 client', 'v1', 'stdio', undefined],
  ['the SDK v2 client with the old handshake', 'v2-legacy', 'stdio', '2025-11-25'],
  ['the SDK v2 client', 'v2-modern', 'stdio', '2026-07-28'],
] as const;

let home: Home;
let served: Served;
let entries: Readonly<Record<'stdio' | 'http', McpEntry>>;
const direct = new Map<string, AgentClient>();
const open: AgentClient[] = [];

beforeAll(async () => {
  home = exampleHome();
  home.write({ 'data/files/dot.gif': 'GIF89a' });
  served = await home.serve({ args: ['--first-key', 'builder'] });
  await vi.waitFor(() => expect(served.printed()).toContain('HTTP entry'), 20_000);
  entries = printedEntries(served.printed());
  for (const [name, server] of Object.entries(officialServers(home)))
    direct.set(name, await connectClient('v1', server));
});

afterAll(async () => {
  await Promise.all([...open, ...direct.values()].map((client) => client.close()));
  await home.close();
});

async function connect(kind: ClientKind, transport: 'http' | 'stdio'): Promise<AgentClient> {
  const client = await connectClient(kind, entries[transport]);
  open.push(client);
  return client;
}

/** The result without what 2026-07-28 puts around every result: who answered. */
function bare({ _meta, ...result }: Record<string, unknown>): Record<string, unknown> {
  const { 'io.modelcontextprotocol/serverInfo': _, ...meta } = (_meta ?? {}) as Record<string, unknown>;
  return Object.keys(meta).length > 0 ? { ...result, _meta: meta } : result;
}

/** What the official server itself answers to what is asked of it through the broker. */
function askDirectly(exposed: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
  const [server = '', tool = ''] = exposed.split('__');
  return direct.get(server)?.call(tool, args) ?? Promise.reject(new Error(`no server ${server}`));
}

test.each(CLIENTS)('%s (%s, %s) is shown exactly what its agent is granted', async (_, kind, transport, version) => {
  const client = await connect(kind, transport);
  expect((await client.list()).map(({ name }) => name)).toEqual(GRANTED.map(([name]) => name));
  expect(client.protocolVersion).toBe(version);
});

test.each(CLIENTS)('%s (%s, %s) gets from each tool the result of the server itself', async (_, kind, transport) => {
  const client = await connect(kind, transport);
  for (const [name, args] of IN_ORDER) {
    home.write({ 'data/files/notes.md': 'one\n' });
    const expected = await askDirectly(name, args);
    home.write({ 'data/files/notes.md': 'one\n' });
    expect([name, bare(await client.call(name, args))]).toEqual([name, expected]);
  }
});

test.each(CLIENTS)(
  '%s (%s, %s) gets from a failing tool the error of the server itself',
  async (_, kind, transport) => {
    const client = await connect(kind, transport);
    const args = { path: 'data/files/absent.md' };
    const result = bare(await client.call('files__read_text_file', args));
    expect(result).toMatchObject({ isError: true });
    expect(result).toEqual(await askDirectly('files__read_text_file', args));
  },
);

test.each(CLIENTS)(
  '%s (%s, %s) is refused alike what it may not see and what does not exist',
  async (_, kind, transport) => {
    const client = await connect(kind, transport);
    const answers: Record<string, unknown>[] = [];
    for (const name of ['memory__delete_entities', 'memory__forget_entities', 'files__move_file']) {
      const refusal = client.call(name, { entityNames: ['Ana'] });
      const { code, message, data } = await refusal.then(
        () => ({}) as Record<string, unknown>,
        (error: unknown) => error as Record<string, unknown>,
      );
      answers.push({ code, message: String(message).replace(name, '…'), data });
    }
    expect(answers[0]).toMatchObject({ code: -32602, message: expect.stringContaining('Unknown tool: …') });
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  },
);

test('a call that its arguments forbid is refused with its reason, and writes nothing', async () => {
  const client = await connect('v2-modern', 'http');
  const refused = await client.call('files__write_file', { path: 'data/files/run.sh', content: 'x' });
  expect(bare(refused)).toEqual({
    content: [{ type: 'text', text: expect.any(String) }],
    isError: true,
    _meta: { 'dev.seneschal/decision': { decisionId: expect.any(String), reason: 'policy-denied' } },
  });
  const listed = await client.call('files__list_directory', { path: 'data/files' });
  expect(JSON.stringify(listed)).not.toContain('run.sh');
});

test('each governed call is one line for the operator as it happens', async () => {
  const client = await connect('v1', 'stdio');
  await client.call('everything__echo', { message: 'watched' });
  await expect
    .poll(() => served.printed())
    .toMatch(/call\.completed principal=agent:builder target=tool:everything\/echo/);
});
