import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { exampleHome } from './fixtures/example-home.ts';
import type { Home, Ran, Served } from './fixtures/home.ts';
import { expectedOutput, type PageBlock, type PageCommand, printedOutput, readPage } from './fixtures/page.ts';

const ROOT = resolve(import.meta.dirname, '..');
const START = 'npm ci && npm start';
/** As nobody sets them: directories of where the command is started. */
const IN_PLACE = { SENESCHAL_REGISTRY: '', SENESCHAL_POLICIES: '', SENESCHAL_DATA: '' };

let home: Home | undefined;

afterEach(async () => {
  await home?.close();
  home = undefined;
});

/** A copy of the example as it is checked in, with the commands on the path as `npx` finds them in a checkout. */
function copyOfCheckout(): Home {
  const copy = exampleHome();
  cpSync(join(ROOT, 'policies'), copy.path('policies'), { recursive: true });
  copy.write({
    'bin/npx': '#!/bin/sh\nexec "$@"\n',
    'bin/seneschal': `#!/bin/sh\nexec "${process.execPath}" "${copy.command}" "$@"\n`,
    'bin/mcp-inspector': `#!/bin/sh\nexec "${join(ROOT, 'node_modules/.bin/mcp-inspector')}" "$@"\n`,
  });
  for (const name of ['npx', 'seneschal', 'mcp-inspector']) chmodSync(copy.path(`bin/${name}`), 0o755);
  return copy;
}

function environmentOf(copy: Home): NodeJS.ProcessEnv {
  const path = `${copy.path('bin')}:${process.env.PATH}`;
  return copy.environment({ ...IN_PLACE, PATH: path, HOME: copy.dir, MCP_INSPECTOR_SECRET_STORE: 'memory' });
}

function shell(copy: Home, command: string): Promise<Ran> {
  return new Promise((done) => {
    const options = { cwd: copy.dir, env: environmentOf(copy) };
    const child = execFile('sh', ['-c', command], options, (error, stdout, stderr) =>
      done({ code: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

async function runCommand(copy: Home, { command, exit, output }: PageCommand): Promise<void> {
  const { code, stdout, stderr } = await shell(copy, command);
  if (exit !== undefined) expect([command, code, stderr]).toEqual([command, exit, exit === 0 ? '' : stderr]);
  if (output !== undefined) expect(printedOutput(stdout), `${command}\n${stderr}`).toMatch(expectedOutput(output));
}

/** Starts what `npm start` starts, and compares what it prints. */
async function start(copy: Home, { output = [] }: PageCommand): Promise<Served> {
  const served = await copy.serve({ args: ['--first-key', 'demo'], env: IN_PLACE });
  await served.said('HTTP entry');
  expect(printedOutput(served.printed())).toMatch(expectedOutput(output));
  return served;
}

async function runPage(path: string): Promise<void> {
  home = copyOfCheckout();
  let served: Served | undefined;
  for (const { kind, commands, lines } of readPage(join(ROOT, path))) {
    for (const command of commands) {
      if (command.command === START) served = await start(home, command);
      else await runCommand(home, command);
    }
    // A line of the log is looked for without its time of day and without what is left out.
    if (kind === 'log') for (const line of lines) await served?.said(line.replace(/^[\d:.]+ /, '').split('…')[0] ?? '');
  }
}

test.each([
  'README.md',
  'docs/tutorial/first-governed-call.md',
  'docs/how-to/check-a-set-up.md',
  'docs/how-to/investigate-a-refusal.md',
])('%s: what it says to type does what it says', runPage);

const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })]
  .filter((path) => path.endsWith('.md'))
  .map((path) => (path === 'README.md' ? path : join('docs', path)));

test('no link of a page leads nowhere', () => {
  const lost = PAGES.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]+)/g)]
      .map(([, target = '']) => join(dirname(page), target))
      .filter((target) => !existsSync(join(ROOT, target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(lost).toEqual([]);
});

test('every page can be reached from the map', () => {
  const map = readFileSync(join(ROOT, 'docs/index.md'), 'utf8');
  const linked = new Set([...map.matchAll(/\]\(([^)#\s]+)/g)].map(([, target = '']) => join('docs', target)));
  expect(PAGES.filter((page) => !linked.has(page) && page !== 'README.md' && page !== 'docs/index.md')).toEqual([]);
});

test('no commands on a page are left unread', () => {
  const blocks: readonly PageBlock[] = readPage(join(ROOT, 'README.md'));
  expect(blocks.filter(({ kind }) => kind === 'console')).toHaveLength(1);
  expect(blocks.flatMap(({ commands }) => commands).length).toBeGreaterThan(10);
});
