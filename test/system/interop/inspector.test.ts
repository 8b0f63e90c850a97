import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { connectClient } from '../../fixtures/clients/mcp-clients.ts';
import { exampleHome, officialServers } from '../../fixtures/homes/example-home.ts';
import type { Home, Ran } from '../../fixtures/homes/home.ts';

const INSPECTOR = resolve(import.meta.dirname, '../../../node_modules/.bin/mcp-inspector');

const GRANTED = [
  'everything__echo',
  'everything__get-sum',
  'files__get_file_info',
  'files__list_allowed_directories',
  'files__list_directory',
  'files__list_directory_with_sizes',
  'files__read_file',
  'files__read_media_file',
  'files__read_multiple_files',
  'files__read_text_file',
  'files__search_files',
];

let home: Home;
/** The lines that `serve` printed to be pasted: the stdio entry, then the HTTP entry. */
let printed: readonly string[];

beforeAll(async () => {
  home = exampleHome();
  const served = await home.serve({ args: ['--first-key', 'demo'] });
  await vi.waitFor(() => expect(served.printed()).toContain('HTTP entry'), 20_000);
  printed = served
    .printed()
    .split('\n')
    .filter((line) => line.startsWith('{"mcpServers"'));
  home.write({ 'stdio.json': printed[0] ?? '', 'http.json': printed[1] ?? '' });
});

afterAll(() => home.close());

function inspect(...args: readonly string[]): Promise<Ran> {
  const env = { PATH: process.env.PATH, HOME: home.dir, MCP_INSPECTOR_SECRET_STORE: 'memory' };
  return new Promise((done) => {
    const child = execFile(INSPECTOR, ['--cli', ...args], { cwd: home.dir, env }, (error, stdout, stderr) =>
      done({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

const entry = (transport: 'stdio' | 'http'): readonly string[] => [
  ...['--config', home.path(`${transport}.json`)],
  ...['--server', 'seneschal'],
];

const WAYS = [
  ['HTTP', 'http', 'legacy'],
  ['HTTP', 'http', 'modern'],
  ['stdio', 'stdio', 'legacy'],
  ['stdio', 'stdio', 'modern'],
] as const;

test.each(WAYS)(
  'the Inspector lists over %s what the agent is granted, by the entry as printed (%s, %s)',
  async (_, transport, era) => {
    const { stdout, stderr } = await inspect(...entry(transport), '--protocol-era', era, '--method', 'tools/list');
    expect(stdout, stderr).not.toBe('');
    const { tools } = JSON.parse(stdout) as { tools: { name: string }[] };
    expect(tools.map(({ name }) => name)).toEqual(GRANTED);
  },
);

const ASKED = [
  ['http', 'legacy', 'files', 'read_text_file', { path: 'data/files/welcome.md' }],
  ['http', 'modern', 'everything', 'get-sum', { a: 2, b: 3 }],
  ['http', 'modern', 'files', 'list_directory', { path: 'data/files' }],
  ['stdio', 'modern', 'everything', 'echo', { message: 'hallo' }],
] as const;

test.each(ASKED)(
  'the Inspector over %s (%s) gets from %s/%s the result of the server itself',
  async (transport, era, server, tool, args) => {
    const given = Object.entries(args).map(([key, value]) => `${key}=${value}`);
    const { stdout, stderr } = await inspect(
      ...entry(transport),
      ...['--protocol-era', era, '--method', 'tools/call', '--tool-name', `${server}__${tool}`],
      ...['--tool-arg', ...given],
    );
    expect(stdout, stderr).not.toBe('');
    const { _meta, ...result } = JSON.parse(stdout) as Record<string, unknown>;
    const direct = await connectClient('v1', officialServers(home)[server]);
    expect(result).toEqual(await direct.call(tool, args));
    await direct.close();
  },
);

test('the Inspector spoke over each transport in the era it was asked for', async () => {
  const { stdout } = await home.run(['ledger', 'list', '--kind', 'call.admitted', '--output', 'json']);
  const acts = JSON.parse(stdout) as { entry: { context: { transport: string; protocolVersion: string } } }[];
  const spoken = acts.map(({ entry: { context } }) => `${context.transport} ${context.protocolVersion}`).reverse();
  expect(spoken).toEqual(['http 2025-11-25', 'http 2026-07-28', 'http 2026-07-28', 'stdio 2026-07-28']);
});

test('the Inspector is refused a tool that its agent may not see', async () => {
  const { code, stdout, stderr } = await inspect(
    ...entry('http'),
    ...['--protocol-era', 'modern', '--method', 'tools/call', '--tool-name', 'memory__read_graph'],
  );
  expect(code).not.toBe(0);
  expect(`${stdout}${stderr}`).toMatch(/memory__read_graph/);
  expect(`${stdout}${stderr}`).toMatch(/not found|unknown tool/i);
});
