import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProblemError } from '../../../../src/domain/problem.ts';
import { draftFromSpec } from '../../../../src/onboarding/import/draft-from-spec.ts';
import type { ServerDraft } from '../../../../src/onboarding/import/server-draft.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sen-'));
  const at = join(dir, 'node_modules/@scope/server-notes');
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, 'package.json'), JSON.stringify({ name: '@scope/server-notes', version: '4.5.6' }));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

function draft(
  specification: string,
  more: { env?: string[]; headers?: string[]; args?: string[] } = {},
): Promise<ServerDraft> {
  const spec = { specification, args: [], env: [], headers: [], ...more };
  return draftFromSpec(spec, { dir: join(dir, 'below'), signal: AbortSignal.timeout(60_000) });
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof ProblemError ? error.code : error),
  );

test('an installed package runs at its installed version', async () => {
  expect(await draft('npm:@scope/server-notes', { args: ['--all'] })).toMatchObject({
    name: 'notes',
    transport: { command: 'npx', args: ['-y', '@scope/server-notes@4.5.6', '--all'] },
  });
});

test('a given version is used instead of the installed one', async () => {
  const { transport } = await draft('npm:@scope/server-notes@1.0.0-rc.1');
  expect(transport).toMatchObject({ args: ['-y', '@scope/server-notes@1.0.0-rc.1'] });
});

test.each(['npm:', 'npm:a b', 'npm:../x', 'npm:x@$(id)', 'npm:--help', 'npm:x@'])(
  '`%s` is not a package',
  async (text) => {
    expect(await codeOf(draft(text))).toBe('registry-package-unresolved');
  },
);

const NAMES: readonly (readonly [specification: string, name: string])[] = [
  ['npm:@modelcontextprotocol/server-memory@1.0.0', 'memory'],
  ['npm:mcp-server-git@1.0.0', 'git'],
  ['npm:@playwright/mcp@1.0.0', 'playwright'],
  ['npm:weather-mcp@1.0.0', 'weather'],
  ['https://mcp.example.org/mcp', 'example'],
  ['https://api.crm.example.org/v1/mcp', 'example'],
  ['http://127.0.0.1:3000/mcp', '127-0-0-1-3000'],
  ['http://localhost:3000/mcp', 'localhost-3000'],
];

test.each(NAMES)('`%s` is named `%s`', async (specification, name) => {
  expect((await draft(specification)).name).toBe(name);
});

test('lists the variables that values refer to, and marks secrets', async () => {
  const { variables } = await draft('https://example.org/mcp', {
    headers: ['Authorization=Bearer $' + '{env:CRM}', 'X-Region=$' + '{env:REGION}'],
  });
  expect(variables).toEqual([
    { name: 'CRM', isSecret: true, wasInClear: false },
    { name: 'REGION', isSecret: false, wasInClear: false },
  ]);
});

test('a secret in clear text is refused at its flag, without quoting it', async () => {
  const problemOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 'no error',
      (error: unknown) => (error instanceof ProblemError ? error.problems : error),
    );
  expect(await problemOf(draft('npm:x@1.0.0', { env: ['API_KEY=hunter2hunter2'] }))).toEqual([
    {
      code: 'registry-secret-in-clear',
      at: '--env',
      message: 'a secret in clear text: the name `API_KEY` is that of a secret',
      hint: "export the secret as an environment variable, and write `--env 'API_KEY=$" + "{env:NAME}'`",
    },
  ]);
});

const GITHUB = `ghp_${'aB3'.repeat(12)}`;
const PASS_AS_VARIABLE =
  "hint: every user of the machine can read arguments: pass it as a variable with `--env 'NAME=$" + "{env:NAME}'`";
const SEND_AS_HEADER = "hint: send it as a header with `--header 'NAME=$" + "{env:NAME}'`";

test.each<[title: string, specification: string, args: string[], lines: string[]]>([
  [
    'a secret after `--`',
    'npm:x@1.0.0',
    ['--all', '--token', 'hunter2hunter2', GITHUB],
    [
      '<args>: argument 3 after `--`: a secret in clear text: the name `token` is that of a secret  (registry-secret-in-clear)',
      PASS_AS_VARIABLE,
      '<args>: argument 4 after `--`: a secret in clear text: the value has the form of a GitHub token  (registry-secret-in-clear)',
      PASS_AS_VARIABLE,
    ],
  ],
  [
    'a reference after `--`',
    'npm:x@1.0.0',
    ['--region=$' + '{env:REGION}'],
    [
      '<args>: argument 1 behind `--`: references are not resolved here  (credentials-reference-invalid)',
      PASS_AS_VARIABLE,
    ],
  ],
  [
    'a password in a url',
    'https://me:hunter2@example.org/mcp',
    [],
    ['<server>: a secret in clear text: `url` holds a user or password  (registry-secret-in-clear)', SEND_AS_HEADER],
  ],
  [
    'a secret in the query of a url',
    'https://example.org/mcp?api_key=hunter2hunter2',
    [],
    ['<server>: a secret in clear text: `url` has a secret in its query  (registry-secret-in-clear)', SEND_AS_HEADER],
  ],
  [
    'a url that cannot be parsed',
    'https://me:hunter2@[example.org/mcp',
    [],
    [
      '<server>: `url` is not an absolute URL  (config-invalid-value)',
      'hint: write for example `https://example.org/mcp`',
    ],
  ],
])('%s is refused at its argument, without quoting it', async (_title, specification, args, lines) => {
  const message = await draft(specification, { args }).catch((error: Error) => error.message);
  expect(message).toBe(lines.join('\n'));
});

test('a value for the other transport, or not of the form NAME=value, is refused', async () => {
  expect(await codeOf(draft('https://example.org/mcp', { env: ['A=b'] }))).toBe('settings-invalid');
  expect(await codeOf(draft('https://example.org/mcp', { args: ['x'] }))).toBe('settings-invalid');
  expect(await codeOf(draft('npm:x@1.0.0', { headers: ['A=b'] }))).toBe('settings-invalid');
  expect(await codeOf(draft('npm:x@1.0.0', { env: ['A'] }))).toBe('settings-invalid');
});
