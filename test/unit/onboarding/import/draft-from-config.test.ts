import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DraftSearch, findDrafts } from '../../../../src/onboarding/import/draft-from-config.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sen-'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** The drafts from config files, one file per object of servers. */
function draftsFrom(files: readonly object[], env: Readonly<Record<string, string>> = {}): DraftSearch {
  const paths = files.map((mcpServers, index) => {
    const path = join(dir, `${index}.json`);
    writeFileSync(path, JSON.stringify({ mcpServers }));
    return path;
  });
  return findDrafts({ files: paths, discover: false }, { env, home: join(dir, 'home') });
}

const reference = (name: string): string => `$\{env:${name}}`;

test('a name is converted to a valid one', () => {
  const { drafts } = draftsFrom([{ 'GitHub Issues': { command: 'x' }, myServer: { command: 'y' } }]);
  expect(drafts.map(({ name }) => name)).toEqual(['github-issues', 'myserver']);
});

test('the same server in two files is one draft, and two servers of one name are two', () => {
  const { drafts } = draftsFrom([{ a: { command: 'x' } }, { a: { command: 'x' } }, { a: { command: 'y' } }]);
  expect(drafts.map(({ name, transport }) => [name, transport])).toEqual([
    ['a', expect.objectContaining({ command: 'x' })],
    ['a-2', expect.objectContaining({ command: 'y' })],
  ]);
});

test('a secret in clear text becomes a reference, and only the draft keeps its value', () => {
  const { drafts } = draftsFrom([{ a: { command: 'x', env: { API_KEY: 'sk-0123456789abcdefghij' } } }]);
  const [draft] = drafts;
  expect(draft?.transport).toMatchObject({ env: { API_KEY: reference('API_KEY') } });
  expect(draft?.variables).toEqual([{ name: 'API_KEY', isSecret: true, wasInClear: true }]);
  expect(draft?.secrets.get('API_KEY')?.reveal()).toBe('sk-0123456789abcdefghij');
  expect(JSON.stringify([...(draft?.secrets ?? [])])).not.toContain('sk-');
});

test('a server with a secret in its command line is left out, and no message shows the secret', () => {
  const { drafts, problems } = draftsFrom([
    { a: { command: 'x', args: ['--token=ghp_q7Rk2mZx9LpT4vWb8NsYc3DfHg6JtUeA1o5i'] } },
  ]);
  expect(drafts).toEqual([]);
  expect(problems.map(({ code }) => code)).toContain('hosts-secret-in-arguments');
  expect(JSON.stringify(problems)).not.toContain('ghp_');
});

test('an environment variable in a command line is resolved if it is not a secret', () => {
  const { drafts } = draftsFrom([{ a: { command: 'x', args: [`--root=${reference('ROOT')}`] } }], { ROOT: '/srv' });
  expect(drafts[0]?.transport).toMatchObject({ args: ['--root=/srv'] });
  expect(draftsFrom([{ a: { command: 'x', args: [reference('ROOT')] } }]).drafts).toEqual([]);
});

test('a default from the file is used while its variable is not set', () => {
  const entry = { a: { command: 'x', env: { REGION: '$' + '{REGION:-eu}' } } };
  expect(draftsFrom([entry]).drafts[0]?.transport).toMatchObject({ env: { REGION: 'eu' } });
  expect(draftsFrom([entry], { REGION: 'us' }).drafts[0]?.transport).toMatchObject({
    env: { REGION: reference('REGION') },
  });
});

test('disabled servers and Seneschal itself are left out, with a problem each', () => {
  const { drafts, problems } = draftsFrom([
    {
      off: { command: 'x', disabled: true },
      seneschal: { command: 'npx', args: ['seneschal', 'stdio', '--agent', 'me'] },
      checkout: { command: 'node', args: ['/src/dist/cli/main.js', 'stdio', '--agent', 'me'] },
      remote: {
        url: 'http://127.0.0.1:7411/mcp',
        headers: { Authorization: 'Bearer sen_0123456789abcdef_aaaaaaaaaaaaaaaaaaaaaa' },
      },
    },
  ]);
  expect(drafts).toEqual([]);
  expect(problems.map(({ code }) => code)).toEqual(Array.from({ length: 4 }, () => 'registry-server-disabled'));
});

test('a command with a relative path runs in the project of its file', () => {
  mkdirSync(join(dir, 'tools'));
  writeFileSync(join(dir, 'tools/server.mjs'), '');
  const { drafts } = draftsFrom([
    { a: { command: 'node', args: ['tools/server.mjs'] }, b: { command: 'node', args: ['-v'] } },
  ]);
  expect(drafts.map(({ transport }) => transport)).toEqual([
    expect.objectContaining({ cwd: dir }),
    expect.not.objectContaining({ cwd: dir }),
  ]);
});
