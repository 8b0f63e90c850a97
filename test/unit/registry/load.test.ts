import { describe, expect, test } from 'vitest';
import { ProblemError } from '../../../src/domain/problem.ts';
import { loadRegistry } from '../../../src/registry/load.ts';

const FILES = `name: files
transport: { type: stdio, command: npx, args: ["-y", "@modelcontextprotocol/server-filesystem", "./data/files"] }
timeout: 30s
sharing: principal
pin: auto
tools:
  write_file: { risk: write, costUsd: "0.002" }
`;
const CRM = `name: crm
transport: { type: streamable-http, url: "http://127.0.0.1:9901/mcp", headers: { authorization: "Bearer \${env:CRM_TOKEN}" } }
`;
const DEMO = `name: demo
owner: ana@example.org
team: support
costCenter: cc-42
`;

function problemsOf(files: Record<string, string>): string[] {
  try {
    loadRegistry(files);
  } catch (error) {
    if (error instanceof ProblemError)
      return error.problems.map(({ at, code, message }) => `${at} ${code}: ${message}`);
    throw error;
  }
  return [];
}

const server = (transport: string): Record<string, string> => ({
  'servers/a.yaml': `name: a\ntransport: ${transport}\n`,
});

describe('a valid registry', () => {
  const registry = loadRegistry({ 'servers/files.yaml': FILES, 'servers/crm.yaml': CRM, 'agents/demo.yaml': DEMO });

  test('holds its servers with units and defaults', () => {
    expect(registry.servers.get('files')).toEqual({
      name: 'files',
      transport: {
        type: 'stdio',
        command: 'npx',
        args: ['-y', '@modelcontextprotocol/server-filesystem', './data/files'],
        env: {},
      },
      timeoutMs: 30_000,
      startTimeoutMs: 30_000,
      idleMs: 300_000,
      connectTimeoutMs: 10_000,
      stallTimeoutMs: 60_000,
      refreshMs: 300_000,
      sharing: 'principal',
      pin: 'auto',
      era: 'auto',
      payloads: 'digest',
      payloadMaxBytes: 65_536,
      maxResultBytes: 1_048_576,
      maxTools: 10_000,
      maxNotifications: 1_000,
      tools: new Map([
        [
          'write_file',
          {
            risk: 'write',
            costNanoUsd: 2_000_000,
            labels: [],
            secretArguments: [],
            maxResultBytes: 1_048_576,
            timeoutMs: 30_000,
          },
        ],
      ]),
      unlisted: {
        risk: 'destructive',
        costNanoUsd: 0,
        labels: [],
        secretArguments: [],
        maxResultBytes: 1_048_576,
        timeoutMs: 30_000,
      },
    });
  });

  test('has `pin: lock` by default', () => {
    expect(registry.servers.get('crm')?.pin).toBe('lock');
  });

  test('holds its agents', () => {
    expect(registry.agents.get('demo')).toEqual({
      name: 'demo',
      owner: 'ana@example.org',
      team: 'support',
      costCenter: 'cc-42',
    });
  });

  test('locates settings', () => {
    expect(registry.locationOf('files', ['tools', 'write_file', 'risk'])).toBe('registry/servers/files.yaml:7:23');
  });

  test('has another digest when one character of a file changes', () => {
    const other = loadRegistry({
      'servers/files.yaml': FILES.replace('30s', '31s'),
      'servers/crm.yaml': CRM,
      'agents/demo.yaml': DEMO,
    });
    expect(other.digest).not.toBe(registry.digest);
  });

  test('ignores the lock, schemas and notes', () => {
    expect(problemsOf({ 'registry.lock': '{}', 'schema/server.schema.json': '{}', 'README.md': 'x' })).toEqual([]);
  });
});

describe('a registry is refused with file, line and column for', () => {
  test.each([
    [
      'an unknown key',
      `${FILES}timout: 3s\n`,
      'registry/servers/files.yaml:8:1 config-unknown-key: unknown key `timout`',
    ],
    [
      'a duration without unit',
      FILES.replace('30s', '30'),
      'registry/servers/files.yaml:3:10 config-invalid-value: `timeout` must be text (put it in quotes)',
    ],
    [
      'a wrong unit',
      FILES.replace('30s', '30sec'),
      'registry/servers/files.yaml:3:10 config-invalid-value: `timeout` must be of the form `/^\\d{1,9}(ms|s|m|h|d)$/`',
    ],
    [
      'a duration of nothing',
      FILES.replace('30s', '0s'),
      'registry/servers/files.yaml:3:10 config-invalid-value: a duration is a whole number of `ms`, `s`, `m`, `h` or `d`, more than 0 and at most `24h`',
    ],
    [
      'money as a number',
      FILES.replace('"0.002"', '0.002'),
      'registry/servers/files.yaml:7:39 config-invalid-value: `costUsd` must be text (put it in quotes)',
    ],
    [
      'an unknown risk',
      FILES.replace('risk: write', 'risk: wirte'),
      'registry/servers/files.yaml:7:23 config-invalid-value: `risk` must be `read`, `write` or `destructive`',
    ],
    [
      'a tool name MCP does not allow',
      FILES.replace('write_file', '"write file"'),
      'registry/servers/files.yaml:7:3 config-invalid-value: the key `write file` is not allowed: it must be of the form `/^[A-Za-z0-9_.-]{1,128}$/`',
    ],
    [
      'an underscore in the name',
      FILES.replace('name: files', 'name: fi__les'),
      'registry/servers/files.yaml:1:7 config-invalid-value: `name` must be of the form `/^[a-z0-9]+(-[a-z0-9]+)*$/`',
    ],
    [
      'two tools that look alike',
      `${FILES}  Write_file: { risk: read }\n`,
      'registry/servers/files.yaml:8:3 registry-lookalike-name: the tool `Write_file` looks like `write_file`',
    ],
  ])('%s', (_what, text, expected) => {
    expect(problemsOf({ 'servers/files.yaml': text })).toEqual([expected]);
  });

  test('two servers with one name', () => {
    expect(problemsOf({ 'servers/crm.yaml': CRM, 'servers/other.yaml': CRM })).toEqual([
      'registry/servers/other.yaml:1:7 registry-name-mismatch: the name `crm` differs from the name of its file, `other.yaml`',
      'registry/servers/other.yaml:1:7 registry-duplicate-name: the name `crm` is used twice',
    ]);
  });

  test('two agents that look alike', () => {
    const agent = (name: string): string => `name: ${name}\nowner: ana\n`;
    expect(problemsOf({ 'agents/ops-1.yaml': agent('ops-1'), 'agents/ops-l.yaml': agent('ops-l') })).toEqual([
      'registry/agents/ops-l.yaml:1:7 registry-lookalike-name: the name `ops-l` looks like `ops-1`',
    ]);
  });

  test('a file with another extension', () => {
    expect(problemsOf({ 'servers/crm.yml': CRM })).toEqual([
      'registry/servers/crm.yml registry-unexpected-file: the file is not read',
    ]);
  });

  test('an agent without an owner', () => {
    expect(problemsOf({ 'agents/demo.yaml': 'name: demo\n' })).toEqual([
      'registry/agents/demo.yaml:1:1 config-missing-key: missing key `owner`',
    ]);
  });

  test('every problem of every file at once', () => {
    expect(problemsOf({ 'servers/a.yaml': 'name: a\n', 'agents/b.yaml': 'name: b\n' })).toEqual([
      'registry/servers/a.yaml:1:1 config-missing-key: missing key `transport`',
      'registry/agents/b.yaml:1:1 config-missing-key: missing key `owner`',
    ]);
  });
});

describe('a URL is refused when it', () => {
  test.each([
    ['is relative', '/mcp', 'config-invalid-value: `url` is not an absolute URL'],
    ['is no web address', 'file:///etc/passwd', 'config-invalid-value: the scheme of `url` is not `https` or `http`'],
    [
      'holds a user',
      'https://ana@example.org/',
      'registry-secret-in-clear: a secret in clear text: `url` holds a user or password',
    ],
    ['has a fragment', 'https://example.org/#x', 'config-invalid-value: `url` has a fragment, which is never sent'],
    [
      'has a key in its query',
      'https://example.org/?api_key=x',
      'registry-secret-in-clear: a secret in clear text: `url` has a secret in its query',
    ],
    [
      'holds a reference',
      `https://example.org/$\{env:X}`,
      'credentials-reference-invalid: references are not resolved here',
    ],
  ])('%s', (_what, url, expected) => {
    expect(problemsOf(server(`{ type: streamable-http, url: "${url}" }`))).toEqual([
      `registry/servers/a.yaml:2:42 ${expected}`,
    ]);
  });
});

describe('a secret in clear text is refused with file, line and column', () => {
  test.each([
    [
      'env',
      '{ type: stdio, command: x, env: { CRM_TOKEN: abc } }',
      '2:57 registry-secret-in-clear: a secret in clear text: the name `CRM_TOKEN` is that of a secret',
    ],
    [
      'header',
      '{ type: streamable-http, url: "http://x/", headers: { Authorization: "Bearer abcdefgh" } }',
      '2:81 registry-secret-in-clear: a secret in clear text: the value has the form of an authorization with its credential',
    ],
    [
      'argument',
      '{ type: stdio, command: x, args: ["--api-key", "abc"] }',
      '2:59 registry-secret-in-clear: a secret in clear text: the name `api-key` is that of a secret',
    ],
  ])('%s', (_what, transport, expected) => {
    expect(problemsOf(server(transport))).toEqual([`registry/servers/a.yaml:${expected}`]);
  });

  test('and an invalid reference does not hide it', () => {
    expect(problemsOf(server(`{ type: stdio, command: x, env: { CRM_TOKEN: "$\{vault:abc}" } }`))).toEqual([
      'registry/servers/a.yaml:2:57 credentials-reference-invalid: a reference must be `env:NAME` (a variable) or `file:PATH` (a file)',
    ]);
  });
});

test('a name that differs from its file name loads with a warning', () => {
  const registry = loadRegistry({ 'servers/files.yaml': FILES.replace('name: files', 'name: file') });
  expect([...registry.servers.keys()]).toEqual(['file']);
  expect(registry.warnings.map(({ at, code }) => `${at} ${code}`)).toEqual([
    'registry/servers/files.yaml:1:7 registry-name-mismatch',
  ]);
});
