import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  expectedOutput,
  keyIds,
  type PageBlock,
  type PageCommand,
  printedOutput,
  readPage,
} from '../../fixtures/docs/page.ts';
import { exampleHome } from '../../fixtures/homes/example-home.ts';
import type { Home, Ran, Served } from '../../fixtures/homes/home.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const START = 'npm ci && npm start';
/** Unset: the settings default to the working directory. */
const IN_PLACE = { SENESCHAL_REGISTRY: '', SENESCHAL_POLICIES: '', SENESCHAL_DATA: '' };

let home: Home | undefined;

afterEach(async () => {
  await home?.close();
  home = undefined;
});

/** A copy of the checked-in example, with the commands that `npx` finds in a checkout on the path. */
function copyOfCheckout(): Home {
  const copy = exampleHome();
  cpSync(join(ROOT, 'policies'), copy.path('policies'), { recursive: true });
  copy.write({
    'bin/npx': '#!/bin/sh\nexec "$@"\n',
    'bin/npm': `#!/bin/sh\ncd "${ROOT}" && PATH="${process.env.PATH}" exec npm --no-update-notifier "$@"\n`,
    'bin/seneschal': `#!/bin/sh\nexec "${process.execPath}" "${copy.command}" "$@"\n`,
    'bin/mcp-inspector': `#!/bin/sh\nexec "${join(ROOT, 'node_modules/.bin/mcp-inspector')}" "$@"\n`,
  });
  for (const name of ['npx', 'npm', 'seneschal', 'mcp-inspector']) chmodSync(copy.path(`bin/${name}`), 0o755);
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

/** A shown command succeeds or says no (3); the Inspector exits with 5 after a tool result that is an error. */
function exitsOf(output: readonly string[]): readonly number[] {
  return output.some((line) => /"(?:isError|reason)": /.test(line)) ? [5] : [0, 3];
}

async function runCommand(copy: Home, { command, exit, output }: PageCommand, ids: Map<string, string>): Promise<void> {
  const { code, stdout, stderr } = await shell(
    copy,
    command.replaceAll(/[0-9a-f]{16}/g, (id) => ids.get(id) ?? id),
  );
  if (exit !== undefined) expect([command, code, stderr]).toEqual([command, exit, exit === 0 ? '' : stderr]);
  else expect(exitsOf(output ?? []), `${command}\n${stderr}`).toContain(code);
  if (output !== undefined) expect(printedOutput(stdout), `${command}\n${stderr}`).toMatch(expectedOutput(output));
  for (const [shown, real] of keyIds(output ?? [], stdout)) ids.set(shown, real);
}

/** Starts the broker like `npm start` and compares its output. */
async function start(copy: Home, { output = [] }: PageCommand): Promise<Served> {
  const served = await copy.serve({ args: ['--first-key', 'demo'], env: IN_PLACE });
  await served.said('HTTP entry');
  expect(printedOutput(served.printed())).toMatch(expectedOutput(output));
  return served;
}

async function runPage(path: string): Promise<void> {
  home = copyOfCheckout();
  let served: Served | undefined;
  const ids = new Map<string, string>();
  const said = new Map<string, number>();
  for (const { kind, commands, lines, path: file } of readPage(join(ROOT, path))) {
    if (file !== undefined) home.write({ [file]: `${lines.join('\n')}\n` });
    for (const command of commands) {
      if (command.command === START) served = await start(home, command);
      else await runCommand(home, command, ids);
    }
    // Log lines are compared without the time of day and up to the first `…`.
    for (const line of kind === 'log' ? lines : []) {
      const start = line.replace(/^[\d:.]+ /, '').split('…')[0] ?? '';
      // A line that the page repeats must be logged again.
      const times = (said.get(start) ?? 0) + 1;
      said.set(start, times);
      await served?.said(start, times);
    }
  }
}

const DOCS = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.md'))
  .map((path) => join('docs', path));
const PAGES = [...readdirSync(ROOT).filter((path) => path.endsWith('.md')), ...DOCS];
const RUN = ['README.md', ...DOCS.filter((path) => /^docs\/(?:tutorial|how-to)\//.test(path))];

test.each(RUN)('%s: each command runs and prints what the page shows', runPage, 240_000);

/** The anchors of a page, as GitHub derives them: headings in lower case, with words, spaces and dashes only. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = proseOf(page).matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Text of a page without its fenced blocks. */
function proseOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8').replaceAll(/^```[\s\S]*?^```$/gm, '');
}

test('every link and anchor of a page has a target', () => {
  const broken = PAGES.flatMap((page) =>
    [...proseOf(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)].flatMap(([link, path, anchor]) => {
      const target = path === '' ? page : join(dirname(page), path ?? '');
      if (!existsSync(join(ROOT, target))) return [`${page}: ${link}`];
      return anchor === undefined || anchorsOf(target).has(anchor) ? [] : [`${page}: ${link}`];
    }),
  );
  expect(broken).toEqual([]);
});

test('every page of docs/ states its kind under its title', () => {
  const kind = /^# .+\n\n(?:Tutorial|How-to|Explanation|Reference|Decision record)\b/;
  const without = DOCS.filter((page) => page !== 'docs/index.md' && !kind.test(proseOf(page)));
  expect(without).toEqual([]);
});

test('docs/index.md links every page', () => {
  const index = readFileSync(join(ROOT, 'docs/index.md'), 'utf8');
  const linked = new Set([...index.matchAll(/\]\(([^)#\s]+)/g)].map(([, target = '']) => join('docs', target)));
  expect(DOCS.filter((page) => !linked.has(page) && page !== 'docs/index.md')).toEqual([]);
});

const typedOn = (page: string): readonly string[] =>
  readPage(join(ROOT, page)).flatMap(({ commands }) => commands.map(({ command }) => command));

test('the README starts the example, makes an allowed and a refused call, and explains the refusal', () => {
  const blocks: readonly PageBlock[] = readPage(join(ROOT, 'README.md'));
  expect(blocks.map(({ kind }) => kind)).toEqual(['console']);
  const typed = typedOn('README.md').map((command) => command.replaceAll(/\s*\\\n\s*/g, ' '));
  expect(typed).toEqual([
    START,
    expect.stringMatching(/mcp-inspector .*--tool-arg a=2 b=3$/),
    expect.stringMatching(/mcp-inspector .*--tool-arg a=2000 b=3$/),
    expect.stringMatching(/^npx seneschal policy explain .*"a": 2000/),
  ]);
});

test('no page shows a command that fails in a checkout', () => {
  const failing = RUN.flatMap((page) =>
    typedOn(page).flatMap((command) => (/# exit (?!3\b)/.test(command) ? [`${page}: ${command}`] : [])),
  );
  expect(failing).toEqual([]);
});

test('the pages are parsed: the commands of each are found', () => {
  expect(RUN.flatMap(typedOn).length).toBeGreaterThan(50);
  expect(typedOn('docs/tutorial/see-how-calls-end.md')).toEqual(['npm run demo']);
});
