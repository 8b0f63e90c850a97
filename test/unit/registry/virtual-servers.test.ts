import { expect, test } from 'vitest';
import { ProblemError } from '../../../src/domain/problem.ts';
import { loadRegistry } from '../../../src/registry/load.ts';

const SERVERS = {
  'servers/github.yaml': 'name: github\ntransport: { type: stdio, command: "true" }\n',
  'servers/mail.yaml': 'name: mail\ntransport: { type: stdio, command: "true" }\n',
  'servers/jira.yaml': 'name: jira\ntransport: { type: stdio, command: "true" }\n',
};

function load(text: string, name = 'reading'): ReturnType<typeof loadRegistry> {
  return loadRegistry({ ...SERVERS, [`virtual/${name}.yaml`]: text });
}

function problemsOf(text: string, name?: string): readonly string[] {
  try {
    load(text, name);
  } catch (error) {
    if (error instanceof ProblemError)
      return error.problems.map(({ at, code, message }) => `${at} ${code}: ${message}`);
    throw error;
  }
  return [];
}

test('a virtual server is loaded with globs, names, texts and fixed arguments', () => {
  const { virtual } = load(`name: reading
title: Reading
tools:
  include: ["github/get_*"]
  rename: { find: github/search_code }
  override:
    github/search_code: { description: Finds code, fixed: { owner: acme, page: 1 } }
resources: { include: ["jira/issue://*"], exclude: ["jira/issue://secret/*"] }
`);
  expect(virtual.get('reading')?.settings).toEqual({
    name: 'reading',
    title: 'Reading',
    tools: {
      include: ['github/get_*'],
      exclude: [],
      rename: new Map([['find', 'github/search_code']]),
      override: new Map([['github/search_code', { description: 'Finds code', fixed: { owner: 'acme', page: 1 } }]]),
    },
    prompts: { include: [], exclude: [], rename: new Map(), override: new Map() },
    resources: { include: ['jira/issue://*'], exclude: ['jira/issue://secret/*'] },
  });
});

test.each([
  [
    'an unknown key',
    'name: reading\ntools: { includes: ["github/*"] }\n',
    'registry/virtual/reading.yaml:2:10 config-unknown-key: unknown key `includes`',
  ],
  [
    'a glob without a server',
    'name: reading\ntools: { include: [get_issue] }\n',
    'registry/virtual/reading.yaml:2:20 config-invalid-value: item 1 must be of the form',
  ],
  [
    'a name that MCP does not allow',
    'name: reading\ntools: { rename: { "find code": github/search_code } }\n',
    'registry/virtual/reading.yaml:2:20 config-invalid-value: the key `find code` is not allowed',
  ],
  [
    'nothing at all',
    'name: reading\n',
    'registry/virtual/reading.yaml:1:1 registry-view-invalid: the virtual server shows nothing',
  ],
  [
    'a renamed tool that is excluded',
    'name: reading\ntools: { exclude: ["github/*"], rename: { find: github/search_code } }\n',
    'registry/virtual/reading.yaml:2:49 registry-view-invalid: `github/search_code` is renamed here, but `exclude` hides it',
  ],
  [
    'a URI that is not in normal form, so that nothing would be kept back',
    'name: reading\nresources: { include: ["jira/*"], exclude: ["jira/ISSUE://secret/*"] }\n',
    'registry/virtual/reading.yaml:2:45 registry-uri-not-normal: the URI of `jira/ISSUE://secret/*` is not in normal form',
  ],
  [
    'two names for one tool',
    'name: reading\ntools: { rename: { find: github/search_code, seek: github/search_code } }\n',
    'registry/virtual/reading.yaml:2:52 registry-view-invalid: `github/search_code` is already renamed to `find`',
  ],
  [
    'names that look alike',
    'name: reading\ntools: { rename: { list1: github/a, listl: github/b } }\n',
    'registry/virtual/reading.yaml:2:37 registry-lookalike-name: the name `listl` looks like `list1`',
  ],
  [
    'an override of what is not shown',
    'name: reading\ntools:\n  include: ["github/get_*"]\n  override:\n    github/search_code: { fixed: { owner: acme } }\n',
    'registry/virtual/reading.yaml:5:5 registry-view-invalid: the override of `github/search_code` has no effect, because it is not shown',
  ],
  [
    'a secret as a fixed argument',
    'name: reading\ntools:\n  include: ["github/*"]\n  override:\n    github/a: { fixed: { auth: { token: "s3cr3t-value" } } }\n',
    'registry/virtual/reading.yaml:5:32 registry-secret-in-clear: a secret in clear text: the name `token` is that of a secret',
  ],
  [
    'a reference as a fixed argument',
    `name: reading\ntools:\n  include: ["github/*"]\n  override:\n    github/a: { fixed: { q: "\${env:TOKEN}" } }\n`,
    'registry/virtual/reading.yaml:5:29 credentials-reference-invalid: references are not resolved in fixed arguments',
  ],
  [
    'a fixed argument of a prompt',
    'name: reading\nprompts: { include: ["github/*"], override: { github/a: { fixed: { q: x } } } }\n',
    'registry/virtual/reading.yaml:2:59 config-unknown-key: unknown key `fixed`',
  ],
])('%s is refused with its location', (_what, text, expected) => {
  expect(problemsOf(text)[0]).toContain(expected);
});

test('a virtual server cannot have the name of a server, or a name that looks like it', () => {
  const text = (name: string): string => `name: ${name}\ntools: { include: ["jira/*"] }\n`;
  expect(problemsOf(text('github'), 'github')[0]).toContain(
    'registry/virtual/github.yaml:1:7 registry-duplicate-name: the name `github` is used by a server',
  );
  expect(problemsOf(text('rnail'), 'rnail')[0]).toContain(
    'registry/virtual/rnail.yaml:1:7 registry-lookalike-name: the name `rnail` looks like that of the server `mail`',
  );
});

test('a server that is not registered causes a warning only', () => {
  const { warnings, virtual } = load('name: reading\ntools: { include: ["githob/*", "jira/*"] }\n');
  expect(warnings).toEqual([
    {
      code: 'registry-original-unknown',
      at: 'registry/virtual/reading.yaml:2:20',
      message: 'there is no server `githob`',
      hint: 'did you mean `github`?',
      severity: 'warning',
    },
  ]);
  expect(virtual.has('reading')).toBe(true);
});
