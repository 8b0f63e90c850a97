import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { until } from '../../fixtures/homes/governed-home.ts';
import { Home } from '../../fixtures/homes/home.ts';
import { mayMountSmall, mountSmall } from '../../fixtures/homes/small-disk.ts';
import { childrenOf, isAlive } from '../../fixtures/programs/process-stats.ts';

const MEMORY = resolve(import.meta.dirname, '../../../node_modules/@modelcontextprotocol/server-memory/dist/index.js');

let home: Home;
let mounted: string | undefined;

afterEach(async () => {
  if (mounted !== undefined) spawnSync('umount', [mounted]);
  mounted = undefined;
  await home.close();
});

const mayMount = mayMountSmall();

function homeWith(server: object): void {
  home = new Home();
  home.write({ 'mcp.json': JSON.stringify({ mcpServers: { notes: server } }) });
}

test('Ctrl-C while servers start ends them, leaves no file, and says so', async () => {
  homeWith({ command: 'sleep', args: ['600'] });
  const args = [home.command, 'init', '--from', 'mcp.json', '--yes'];
  const child = spawn(process.execPath, args, { cwd: home.dir, env: home.environment() });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close');
  await until(() => childrenOf(child.pid).length > 0);
  const [started = 0] = childrenOf(child.pid);
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  expect(output).toMatch(/\ninterrupted; nothing was written\n$/);
  expect(isAlive(started)).toBe(false);
  expect(readdirSync(home.dir)).toEqual(['mcp.json']);
});

const hasTerminal = spawnSync('script', ['--version']).stdout?.includes('util-linux') === true;
if (!hasTerminal) process.stdout.write('skipped: needs `script` of util-linux, which makes a terminal\n');

test.runIf(hasTerminal)('Ctrl-C at a prompt exits with 130, and says that nothing was written', async () => {
  homeWith({ command: 'touch', args: ['started'] });
  const line = `'${process.execPath}' '${home.command}' init --from mcp.json`;
  const args = ['--quiet', '--return', '--command', line, '/dev/null'];
  const child = spawn('script', args, { cwd: home.dir, env: home.environment() });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close');
  await until(() => output.includes('to list its tools? [y/N]'));
  child.stdin.write('\x03');
  expect(await ended).toEqual([130, null]);
  expect(output).toContain('interrupted; nothing was written\r\n');
  expect(readdirSync(home.dir)).toEqual(['mcp.json']);
});

test.runIf(mayMount)('a full disk while a home is written leaves no file', async () => {
  homeWith({ command: process.execPath, args: [MEMORY] });
  mounted = home.path('small');
  mkdirSync(mounted);
  mountSmall(mounted, '32k');
  const places = ['--registry', 'small/registry', '--policies', 'small/policies'];
  const { code, stderr } = await home.run(['init', '--from', 'mcp.json', '--yes', ...places]);
  expect([code, stderr]).toEqual([1, expect.stringContaining('(files-unwritable)')]);
  expect(readdirSync(mounted)).toEqual([]);
});

test('a directory that cannot be created is a problem, and no file is left', async () => {
  homeWith({ command: process.execPath, args: [MEMORY] });
  const places = ['--registry', 'registry', '--policies', 'mcp.json/policies'];
  const { code, stderr } = await home.run(['init', '--from', 'mcp.json', '--yes', ...places]);
  expect([code, stderr]).toEqual([1, expect.stringContaining('(files-unwritable)')]);
  expect(readdirSync(home.dir)).toEqual(['mcp.json']);
});

test('while another broker holds the data directory, the home is removed again, because the agreement cannot be recorded', async () => {
  homeWith({ command: process.execPath, args: [MEMORY] });
  home.write({ 'other/registry/agents/x.yaml': 'name: x\nowner: x\n' });
  const other = { SENESCHAL_REGISTRY: home.path('other/registry'), SENESCHAL_POLICIES: home.path('other/policies') };
  await home.serve({ env: other });
  const { code, stderr } = await home.run(['init', '--from', 'mcp.json', '--yes']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('(data-directory-in-use)')]);
  expect(readdirSync(home.dir).sort()).toEqual(['data', 'mcp.json', 'other']);
});
