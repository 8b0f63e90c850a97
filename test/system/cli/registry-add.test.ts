import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { governedHome, ledgerOf, WireAgent } from '../../fixtures/homes/governed-home.ts';
import type { Home, Ran } from '../../fixtures/homes/home.ts';
import { legacyHandler, sendJson, serveHttp } from '../../fixtures/http-upstream.ts';

const MODULES = resolve(import.meta.dirname, '../../../node_modules');
const MEMORY = `${MODULES}/@modelcontextprotocol/server-memory/dist/index.js`;
const EVERYTHING = `${MODULES}/@modelcontextprotocol/server-everything/dist/index.js`;

let home: Home;

afterEach(() => home.close());

/** A home with the server `tools` in its registry, and a config file with these entries. */
function homeWith(entries: Readonly<Record<string, object>> = {}): void {
  home = governedHome();
  home.write({ 'mcp.json': JSON.stringify({ mcpServers: entries }) });
}

const notes = (): object => ({
  command: process.execPath,
  args: [MEMORY],
  env: { MEMORY_FILE_PATH: home.path('notes.jsonl') },
});

const importing = (...more: readonly string[]): Promise<Ran> => home.run(['registry', 'import', 'mcp.json', ...more]);

function expectUnchanged(): void {
  expect(readdirSync(home.path('registry'), { recursive: true, encoding: 'utf8' }).sort()).toEqual([
    ...['agents', 'agents/demo.yaml', 'servers', 'servers/tools.yaml'],
  ]);
}

test('a package is added at its installed version, and its tools are pinned', async () => {
  homeWith();
  symlinkSync(MODULES, home.path('node_modules'));
  const { code, stdout, stderr } = await home.run([
    'registry',
    'add',
    'npm:@modelcontextprotocol/server-memory',
    '--name',
    'notes',
    '--yes',
  ]);
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: 'added notes: 9 tools pinned\n' });
  expect(stderr).toMatch(/^ {2}runs {4}npx -y @modelcontextprotocol\/server-memory@\d{4}\.\d+\.\d+$/m);
  const text = readFileSync(home.path('registry/servers/notes.yaml'), 'utf8');
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../schema/server.schema.json');
  expect(text).toContain('  read_graph: { risk: read } # its name begins with `read`\n');
  const lock = JSON.parse(readFileSync(home.path('registry/registry.lock'), 'utf8')) as { servers: object };
  expect(Object.keys(lock.servers)).toEqual(['notes']);
  const kinds = ledgerOf(home).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === 'server.added' || kind === 'tool.pinned')).toHaveLength(10);
});

test('with a running broker a server can be called as soon as the command exits', async () => {
  homeWith();
  home.write({ 'mcp.json': JSON.stringify({ mcpServers: { notes: notes() } }) });
  const served = await home.serve();
  const { code, stderr } = await importing('--yes');
  expect(code, stderr).toBe(0);
  const agent = new WireAgent(served.url, await home.key('demo'));
  expect(await agent.tools()).toContain('notes__read_graph');
  expect((await agent.call('notes__read_graph')).isError).toBe(false);
  agent.close();
  const added = ledgerOf(home).filter(({ kind }) => kind === 'server.added');
  expect(added.map(({ entry }) => entry.principal)).toEqual([`os-user:${process.getuid?.()}`]);
});

test('a url is added with references to secrets in its headers', async () => {
  homeWith();
  const answering = legacyHandler({ get_customer: () => {} });
  const upstream = await serveHttp((asked, response) => {
    if (asked.headers.authorization === 'Bearer from-the-environment') answering(asked, response);
    else sendJson(response, {}, 401);
  });
  const { code, stderr } = await home.run(
    ['registry', 'add', upstream.url, '--name', 'crm', '--header', `Authorization=Bearer \${env:CRM_TOKEN}`, '--yes'],
    { env: { CRM_TOKEN: 'from-the-environment' } },
  );
  expect(code, stderr).toBe(0);
  const text = readFileSync(home.path('registry/servers/crm.yaml'), 'utf8');
  expect(text).toContain(`    Authorization: "Bearer \${env:CRM_TOKEN}"\n`);
  expect(stderr).toContain('export CRM_TOKEN=…   # for crm\n');
});

test('a secret in clear text is refused before any request is sent', async () => {
  homeWith();
  const upstream = await serveHttp((_, response) => sendJson(response, {}, 500));
  const header = 'Authorization=Bearer 0123456789abcdef';
  const { code, stderr } = await home.run(['registry', 'add', upstream.url, '--header', header, '--yes']);
  expect([code, stderr]).toEqual([
    2,
    '--header: a secret in clear text: the value has the form of an authorization with its credential' +
      '  (registry-secret-in-clear)\n' +
      `hint: export the secret as an environment variable, and write \`--header 'Authorization=Bearer \${env:NAME}'\`\n`,
  ]);
  expect(upstream.received).toEqual([]);
  expectUnchanged();
});

test('a secret in a url is a problem at the argument and never printed, even if the name is taken', async () => {
  homeWith();
  const { code, stdout, stderr } = await home.run([
    ...['registry', 'add', 'https://me:hunter2@tools.example.invalid/mcp', '--name', 'tools', '--yes'],
  ]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^<server>: a secret in clear text: [^\n]* {2}\(registry-secret-in-clear\)\nhint: [^\n]*\n$/);
  expect(stderr).not.toContain('hunter2');
  expectUnchanged();
});

test('an invalid name is a problem of the argument, not of a file that was never written', async () => {
  homeWith();
  const { code, stderr } = await home.run(['registry', 'add', 'http://127.0.0.1:9/mcp', '--name', 'Bad_Name', '--yes']);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^http:\/\/127\.0\.0\.1:9\/mcp: `name` must be of the form [^\n]* {2}\(config-invalid-value\)\n/m,
  );
  expect(stderr).not.toContain('Bad_Name.yaml');
  expectUnchanged();
});

test('without a terminal and without `--yes` the command is shown, and nothing is started or written', async () => {
  homeWith();
  home.write({ 'mcp.json': JSON.stringify({ mcpServers: { notes: { command: 'touch', args: ['started'] } } }) });
  const { code, stderr } = await importing();
  expect(code).toBe(2);
  expect(stderr).toContain('  runs    touch started\n');
  expect(stderr).toContain('hint: add `--yes`, or run the command on a terminal');
  expect(readdirSync(home.dir)).not.toContain('started');
  expectUnchanged();
});

const REFUSED: readonly (readonly [title: string, name: string, entry: object, code: number, message: string])[] = [
  ['a name that is taken', 'tools', { command: 'true' }, 2, '(registry-duplicate-name)'],
  [
    'a name that is taken, with a hint to import the others',
    'tools',
    { command: 'true' },
    2,
    'import only the others with `--only <name>`',
  ],
  ['a name that looks like another', 'too1s', { command: 'true' }, 2, '(registry-lookalike-name)'],
  ['a command that does not exist', 'gone', { command: '/nowhere' }, 1, '(registry-server-unanswered)'],
  ['a server that exits', 'ends', { command: 'false' }, 1, '(registry-server-unanswered)'],
  [
    'a tool that is not admitted',
    'all',
    { command: process.execPath, args: [EVERYTHING] },
    2,
    '(registry-tool-broken)',
  ],
];

test.each(REFUSED)('%s is refused, and nothing is written', async (_title, name, entry, code, message) => {
  homeWith({ [name]: entry });
  const ran = await importing('--yes');
  expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(message)]);
  expectUnchanged();
});

test('of several servers those that work are added, and the exit code reports the failed one', async () => {
  homeWith();
  home.write({ 'mcp.json': JSON.stringify({ mcpServers: { gone: { command: '/nowhere' }, notes: notes() } }) });
  const { code, stdout } = await importing('--yes');
  expect([code, stdout]).toEqual([1, 'added notes: 9 tools pinned\n']);
});

test('with `--skip-broken` a tool that is not admitted stays blocked and the others are pinned', async () => {
  homeWith({ all: { command: process.execPath, args: [EVERYTHING] } });
  const { code, stdout, stderr } = await importing('--skip-broken', '--yes');
  expect([code, stdout]).toEqual([0, 'added all: 12 tools and 6 other definitions pinned\n']);
  expect(stderr).toContain('  simulate-research-query stays blocked: ');
});

/** A server whose tool has a different description at each start. */
const CHANGING_SERVER = `
import { createInterface } from 'node:readline';
const results = {
  initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } },
  'tools/list': { tools: [{ name: 'get_time', description: String(process.pid), inputSchema: { type: 'object' } }] },
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  const answer = results[method] ? { result: results[method] } : { error: { code: -32601, message: 'no such method' } };
  if (id !== undefined) process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...answer }) + '\\n');
});`;

test('a server that lists other definitions after the agreement is not added', async () => {
  homeWith();
  home.write({
    'changing.mjs': CHANGING_SERVER,
    'mcp.json': JSON.stringify({
      mcpServers: { changing: { command: process.execPath, args: [home.path('changing.mjs')] } },
    }),
  });
  const { code, stderr } = await importing('--yes');
  expect([code, stderr]).toEqual([2, expect.stringContaining('(registry-tools-changed)')]);
  expectUnchanged();
  expect(ledgerOf(home).map(({ kind }) => kind)).not.toContain('tool.pinned');
});
