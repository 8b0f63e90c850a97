import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../../../src/domain/problem.ts';
import type { ConfiguredServer, ConfigValue, ReadResult } from '../../../../src/onboarding/hosts/configured-server.ts';
import { readConfigLocation, readServerFile } from '../../../../src/onboarding/hosts/read-config.ts';
import { VariableNames } from '../../../../src/onboarding/hosts/variable-names.ts';

const CONTEXT = { userHome: '/home/ana', project: '/home/ana/shop' };

function read(text: string, names: VariableNames = new VariableNames()): ReadResult {
  return readServerFile('x.json', text, { ...CONTEXT, names });
}

function entry(body: object): ReadResult {
  return read(JSON.stringify({ mcpServers: { github: body } }));
}

function problems({ problems: found }: ReadResult): string[] {
  return found.map(({ at, code, message }) => `${at} ${code}: ${message}`);
}

function env(result: ReadResult, name: string): ConfigValue | undefined {
  const transport = result.servers[0]?.transport;
  return transport?.type === 'stdio' ? transport.env[name] : undefined;
}

function headers(result: ReadResult): Record<string, string> {
  const transport = result.servers[0]?.transport;
  if (transport?.type !== 'http') return {};
  return Object.fromEntries(Object.entries(transport.headers).map(([key, { text }]) => [key, text]));
}

const names = (servers: readonly ConfiguredServer[]): string[] => servers.map(({ name }) => name);

describe('secrets', () => {
  test('a secret in `env` becomes a reference to the variable of the same name, and its value is hidden', () => {
    const token = env(
      entry({ command: 'x', env: { GITHUB_TOKEN: 'ghp_notARealTokenButOfItsForm0123456789' } }),
      'GITHUB_TOKEN',
    );
    expect(token?.text).toBe('${env:GITHUB_TOKEN}');
    expect(token?.variables[0]?.value?.reveal()).toBe('ghp_notARealTokenButOfItsForm0123456789');
  });

  test('a printed result shows no secret', () => {
    const secret = 'ghp_notARealTokenButOfItsForm0123456789';
    const result = entry({
      command: 'x',
      args: ['--token', secret, `--key=${secret}`, secret],
      env: { A: secret, B: `\${X}${secret}`, C: `\${X:-${secret}}` },
      cwd: `/tmp/${secret}`,
    });
    expect(result.servers).toHaveLength(1);
    expect(JSON.stringify(result)).not.toContain(secret);
    expect(result.problems.map(formatProblem).join()).not.toContain(secret);
  });

  test('a header keeps its scheme, and its variable is named after the server', () => {
    const result = entry({ url: 'https://h/mcp', headers: { Authorization: 'Bearer abcdefgh', 'X-API-Key': 'k1' } });
    expect(headers(result)).toEqual({
      Authorization: 'Bearer ${env:GITHUB_TOKEN}',
      'X-API-Key': '${env:GITHUB_API_KEY}',
    });
  });

  test('different secrets of one name get different variables, and equal secrets share one', () => {
    const result = read(
      JSON.stringify({
        mcpServers: {
          one: { command: 'x', env: { API_KEY: 'first' } },
          two: { command: 'x', env: { API_KEY: 'second' } },
          three: { command: 'x', env: { API_KEY: 'first' } },
        },
      }),
    );
    const texts = result.servers.map(({ transport }) => transport.type === 'stdio' && transport.env.API_KEY?.text);
    expect(texts).toEqual(['${env:API_KEY}', '${env:TWO_API_KEY}', '${env:API_KEY}']);
  });

  test('a secret in the arguments gives a warning with its position', () => {
    const result = read('{"mcpServers":{"figma":{"command":"npx",\n"args":["--api-key=abcdefgh"]}}}');
    expect(problems(result)).toEqual([
      'x.json:2:9 hosts-secret-in-arguments: server `figma`: a secret is written in clear text where every user of the machine can read it',
    ]);
  });
});

describe('variables of hosts', () => {
  test('`${NAME}`, `${env:NAME}` and `${NAME:-default}` are environment variables', () => {
    const result = entry({ command: 'x', env: { A: '${ONE}', B: '${env:TWO}', C: '${THREE:-eu}' } });
    expect(env(result, 'A')?.text).toBe('${env:ONE}');
    expect(env(result, 'B')?.text).toBe('${env:TWO}');
    expect(env(result, 'C')?.text).toBe('${env:THREE}');
    expect(env(result, 'C')?.variables[0]?.value?.reveal()).toBe('eu');
  });

  test('`${input:id}` is an input with the description and secrecy from its file', () => {
    const result = read(
      '{"inputs":[{"id":"gh-token","type":"promptString","password":true,"description":"Token"}],"servers":{"a":{"command":"x","env":{"T":"${input:gh-token}"}}}}',
    );
    expect(env(result, 'T')).toEqual({
      text: '${env:GH_TOKEN}',
      variables: [{ name: 'GH_TOKEN', origin: 'input', isSecret: true, description: 'Token' }],
    });
  });

  test('`${workspaceFolder}` and `${userHome}` resolve to paths', () => {
    const result = entry({ command: 'x', env: { A: '${workspaceFolder}/a', B: '${userHome}/b' } });
    expect(env(result, 'A')?.text).toBe('/home/ana/shop/a');
    expect(env(result, 'B')?.text).toBe('/home/ana/b');
  });

  test('a variable that only its host can resolve stays as written, with a warning', () => {
    const result = entry({ command: 'x', env: { A: '${command:pick.it}' } });
    expect(env(result, 'A')?.text).toBe('$${command:pick.it}');
    expect(problems(result)).toEqual([
      'x.json:1:51 hosts-variable-unknown: server `github`: only its own program can resolve `${command:pick.it}`',
    ]);
  });
});

describe('invalid files', () => {
  test('a file that is not JSON gives a problem with the position', () => {
    expect(problems(read('{\n  "mcpServers": {\n    "a": { command: "x" }\n  }\n}'))[0]).toBe(
      'x.json:3:12 hosts-syntax: this is not valid JSON: unknown word',
    );
  });

  test('a file that nests too deeply is refused before it is parsed', () => {
    expect(problems(read('['.repeat(100_000)))).toEqual([
      'x.json:1:101 hosts-syntax: lists and objects are nested more than 100 levels deep',
    ]);
  });

  test('an invalid entry does not affect the others', () => {
    const result = read(
      `{"mcpServers": {
        "a": { "command": 7, "args": "no" },
        "b": { "command": "x", "args": ["ok", {}] },
        "c": "npx c",
        "d": { "args": [] },
        "e": { "type": "http" },
        "f": { "command": "x", "env": ["A=1"] },
        "g": { "command": "good" }
      }}`,
    );
    expect(names(result.servers)).toEqual(['g']);
    expect(problems(result)).toEqual([
      'x.json:2:27 hosts-entry-invalid: server `a`: `command` is not a string',
      'x.json:3:47 hosts-entry-invalid: server `b`: an item of `args` is not a string',
      'x.json:4:14 hosts-entry-invalid: server `c`: the entry is not an object',
      'x.json:5:9 hosts-entry-invalid: server `d`: `command` and `url` are missing',
      'x.json:6:9 hosts-entry-invalid: server `e`: `url` is missing',
      'x.json:7:39 hosts-entry-invalid: server `f`: `env` is not an object',
    ]);
  });

  test.each([
    ['{"command":1}', 'x.json:2:16', '`command` is not a string', 'put it in double quotes'],
    ['{"command":true}', 'x.json:2:16', '`command` is not a string', 'put it in double quotes'],
    ['{"url":7}', 'x.json:2:12', '`url` is not a string', 'put it in double quotes'],
    ['{"command":"x","args":"-y"}', 'x.json:2:27', '`args` is not a list', 'write `"args": ["…"]`'],
    [
      '{"command":"x","args":["a",1]}',
      'x.json:2:32',
      'an item of `args` is not a string',
      'put each item in double quotes',
    ],
    [
      '{"command":"x","env":{"A":{"B":"c"}}}',
      'x.json:2:31',
      '`env.A` is not a string',
      'put the value in double quotes',
    ],
    [
      '{"url":"https://h/mcp","headers":{"A":["b"]}}',
      'x.json:2:43',
      '`headers.A` is not a string',
      'put the value in double quotes',
    ],
    [
      '{"command":"x","disabled":"yes"}',
      'x.json:2:31',
      '`disabled` is neither `true` nor `false`',
      'write `true` or `false` without quotes',
    ],
  ])('a value of the wrong type drops its entry, with a problem at its position: %s', (body, at, message, hint) => {
    const result = read(`{"mcpServers":{\n"a":${body},\n"b":{"command":"good"}}}`);
    expect(names(result.servers)).toEqual(['b']);
    expect(result.problems).toEqual([{ code: 'hosts-entry-invalid', at, message: `server \`a\`: ${message}`, hint }]);
  });

  test('a number or boolean as a variable is read as text, as hosts do', () => {
    const result = entry({ command: 'x', env: { PORT: 8080, DEBUG: true } });
    expect([env(result, 'PORT')?.text, env(result, 'DEBUG')?.text]).toEqual(['8080', 'true']);
    expect(result.problems).toEqual([]);
  });

  test('SSE is reported as not supported, by `type` or by url', () => {
    const result = read(
      '{"mcpServers":{"a":{"type":"sse","url":"https://h/x"},\n"b":{"url":"https://h/sse"},\n"c":{"type":"ws","url":"wss://h"}}}',
    );
    expect(result.servers).toEqual([]);
    expect(problems(result)).toEqual([
      'x.json:1:28 hosts-transport-unsupported: server `a`: the transport `sse` is not supported',
      'x.json:2:12 hosts-transport-unsupported: server `b`: the transport `sse` is not supported',
      'x.json:3:13 hosts-transport-unsupported: server `c`: the transport `ws` is not supported',
    ]);
  });

  test('of a repeated name the last entry is used, with a warning', () => {
    const result = read('{"mcpServers":{"a":{"command":"old"},\n"a":{"command":"new"}}}');
    expect(result.servers.map(({ transport }) => transport.type === 'stdio' && transport.command.text)).toEqual([
      'new',
    ]);
    expect(problems(result)).toEqual([
      'x.json:2:1 hosts-duplicate-key: the server `a` occurs twice; the last one is used',
    ]);
  });

  test.each([['[]'], ['{"servers":[]}'], ['{"name":"x"}'], ['7']])('%s has no servers in a known format', (text) => {
    expect(read(text).problems.map(({ code }) => code)).toEqual(['hosts-shape-unknown']);
  });

  test('an entry named `__proto__` is read like any other', () => {
    expect(names(read('{"mcpServers":{"__proto__":{"command":"x"}}}').servers)).toEqual(['__proto__']);
  });
});

test('an entry may nest its transport, as Cline’s command line writes it', () => {
  const result = entry({ transport: { type: 'streamableHttp', url: 'https://h/mcp' }, disabled: true });
  expect(result.servers).toMatchObject([
    { isDisabled: true, transport: { type: 'http', url: { text: 'https://h/mcp' } } },
  ]);
});

test('a url without a type means SSE in Cline, and streamable HTTP elsewhere', () => {
  const text = '{"mcpServers":{"a":{"url":"https://h/mcp"}}}';
  const location = { host: 'cline', scope: 'user', file: 'x.json', path: ['mcpServers'], untypedUrl: 'sse' } as const;
  expect(names(read(text).servers)).toEqual(['a']);
  expect(problems(readConfigLocation(location, text, { ...CONTEXT, names: new VariableNames() }))).toEqual([
    'x.json:1:27 hosts-transport-unsupported: server `a`: the transport `sse` is not supported',
  ]);
});

test('an entry with `disabled: true` or `enabled: false` is disabled', () => {
  const result = read(
    '{"mcpServers":{"a":{"command":"x","disabled":true},"b":{"command":"x","enabled":false},"c":{"command":"x"}}}',
  );
  expect(result.servers.map(({ isDisabled }) => isDisabled)).toEqual([true, true, false]);
});
