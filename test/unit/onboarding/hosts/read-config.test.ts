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

function env(reading: ReadResult, name: string): ConfigValue | undefined {
  const transport = reading.servers[0]?.transport;
  return transport?.type === 'stdio' ? transport.env[name] : undefined;
}

function headers(reading: ReadResult): Record<string, string> {
  const transport = reading.servers[0]?.transport;
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

  test('nothing that a reading prints shows a secret', () => {
    const secret = 'ghp_notARealTokenButOfItsForm0123456789';
    const reading = entry({
      command: 'x',
      args: ['--token', secret, `--key=${secret}`, secret],
      env: { A: secret, B: `\${X}${secret}`, C: `\${X:-${secret}}` },
      cwd: `/tmp/${secret}`,
    });
    expect(reading.servers).toHaveLength(1);
    expect(JSON.stringify(reading)).not.toContain(secret);
    expect(reading.problems.map(formatProblem).join()).not.toContain(secret);
  });

  test('a header keeps its scheme, and its variable is called after the server', () => {
    const reading = entry({ url: 'https://h/mcp', headers: { Authorization: 'Bearer abcdefgh', 'X-API-Key': 'k1' } });
    expect(headers(reading)).toEqual({
      Authorization: 'Bearer ${env:GITHUB_TOKEN}',
      'X-API-Key': '${env:GITHUB_API_KEY}',
    });
  });

  test('different secrets of one name get different variables, equal ones share theirs', () => {
    const reading = read(
      JSON.stringify({
        mcpServers: {
          one: { command: 'x', env: { API_KEY: 'first' } },
          two: { command: 'x', env: { API_KEY: 'second' } },
          three: { command: 'x', env: { API_KEY: 'first' } },
        },
      }),
    );
    const texts = reading.servers.map(({ transport }) => transport.type === 'stdio' && transport.env.API_KEY?.text);
    expect(texts).toEqual(['${env:API_KEY}', '${env:TWO_API_KEY}', '${env:API_KEY}']);
  });

  test('a secret among the arguments is warned of at its place', () => {
    const reading = read('{"mcpServers":{"figma":{"command":"npx",\n"args":["--api-key=abcdefgh"]}}}');
    expect(problems(reading)).toEqual([
      'x.json:2:9 hosts-secret-in-arguments: server `figma`: a secret is written in clear text where every user of the machine can read it',
    ]);
  });
});

describe('variables of hosts', () => {
  test('`${NAME}`, `${env:NAME}` and `${NAME:-default}` are variables of the environment', () => {
    const reading = entry({ command: 'x', env: { A: '${ONE}', B: '${env:TWO}', C: '${THREE:-eu}' } });
    expect(env(reading, 'A')?.text).toBe('${env:ONE}');
    expect(env(reading, 'B')?.text).toBe('${env:TWO}');
    expect(env(reading, 'C')?.text).toBe('${env:THREE}');
    expect(env(reading, 'C')?.variables[0]?.value?.reveal()).toBe('eu');
  });

  test('`${input:id}` is an input with what its file says of it', () => {
    const reading = read(
      '{"inputs":[{"id":"gh-token","type":"promptString","password":true,"description":"Token"}],"servers":{"a":{"command":"x","env":{"T":"${input:gh-token}"}}}}',
    );
    expect(env(reading, 'T')).toEqual({
      text: '${env:GH_TOKEN}',
      variables: [{ name: 'GH_TOKEN', origin: 'input', isSecret: true, description: 'Token' }],
    });
  });

  test('`${workspaceFolder}` and `${userHome}` are the paths that they stand for', () => {
    const reading = entry({ command: 'x', env: { A: '${workspaceFolder}/a', B: '${userHome}/b' } });
    expect(env(reading, 'A')?.text).toBe('/home/ana/shop/a');
    expect(env(reading, 'B')?.text).toBe('/home/ana/b');
  });

  test('a variable that only its host knows stays as text, with a warning', () => {
    const reading = entry({ command: 'x', env: { A: '${command:pick.it}' } });
    expect(env(reading, 'A')?.text).toBe('$${command:pick.it}');
    expect(problems(reading)).toEqual([
      'x.json:1:51 hosts-variable-unknown: server `github`: only its own program can resolve `${command:pick.it}`',
    ]);
  });
});

describe('files that are not in order', () => {
  test('a file that is not JSON is refused at the place', () => {
    expect(problems(read('{\n  "mcpServers": {\n    "a": { command: "x" }\n  }\n}'))[0]).toBe(
      'x.json:3:12 hosts-syntax: this is not valid JSON: unknown word',
    );
  });

  test('a file that nests without end is refused before it is parsed', () => {
    expect(problems(read('['.repeat(100_000)))).toEqual([
      'x.json:1:101 hosts-syntax: lists and objects are nested more than 100 levels deep',
    ]);
  });

  test('one bad entry costs itself alone', () => {
    const reading = read(
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
    expect(names(reading.servers)).toEqual(['g']);
    expect(problems(reading)).toEqual([
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
  ])('a value of a wrong type costs its entry, and is told of at its place: %s', (body, at, message, hint) => {
    const reading = read(`{"mcpServers":{\n"a":${body},\n"b":{"command":"good"}}}`);
    expect(names(reading.servers)).toEqual(['b']);
    expect(reading.problems).toEqual([{ code: 'hosts-entry-invalid', at, message: `server \`a\`: ${message}`, hint }]);
  });

  test('a number or a truth value as a variable is read as it is written, as hosts do', () => {
    const reading = entry({ command: 'x', env: { PORT: 8080, DEBUG: true } });
    expect([env(reading, 'PORT')?.text, env(reading, 'DEBUG')?.text]).toEqual(['8080', 'true']);
    expect(reading.problems).toEqual([]);
  });

  test('SSE is reported as not supported, said or meant', () => {
    const reading = read(
      '{"mcpServers":{"a":{"type":"sse","url":"https://h/x"},\n"b":{"url":"https://h/sse"},\n"c":{"type":"ws","url":"wss://h"}}}',
    );
    expect(reading.servers).toEqual([]);
    expect(problems(reading)).toEqual([
      'x.json:1:28 hosts-transport-unsupported: server `a`: the transport `sse` is not supported',
      'x.json:2:12 hosts-transport-unsupported: server `b`: the transport `sse` is not supported',
      'x.json:3:13 hosts-transport-unsupported: server `c`: the transport `ws` is not supported',
    ]);
  });

  test('of a name that is written twice the last one counts, with a warning', () => {
    const reading = read('{"mcpServers":{"a":{"command":"old"},\n"a":{"command":"new"}}}');
    expect(reading.servers.map(({ transport }) => transport.type === 'stdio' && transport.command.text)).toEqual([
      'new',
    ]);
    expect(problems(reading)).toEqual([
      'x.json:2:1 hosts-duplicate-key: the server `a` occurs twice; the last one is used',
    ]);
  });

  test.each([['[]'], ['{"servers":[]}'], ['{"name":"x"}'], ['7']])('%s holds servers in no known form', (text) => {
    expect(read(text).problems.map(({ code }) => code)).toEqual(['hosts-shape-unknown']);
  });

  test('an entry called `__proto__` is an entry like any other', () => {
    expect(names(read('{"mcpServers":{"__proto__":{"command":"x"}}}').servers)).toEqual(['__proto__']);
  });
});

test('an entry may hold its transport as an object of its own, as Cline’s command line writes it', () => {
  const reading = entry({ transport: { type: 'streamableHttp', url: 'https://h/mcp' }, disabled: true });
  expect(reading.servers).toMatchObject([
    { isDisabled: true, transport: { type: 'http', url: { text: 'https://h/mcp' } } },
  ]);
});

test('a url without a type is one of SSE to Cline, and of streamable HTTP to the others', () => {
  const text = '{"mcpServers":{"a":{"url":"https://h/mcp"}}}';
  const place = { host: 'cline', scope: 'user', file: 'x.json', path: ['mcpServers'], untypedUrl: 'sse' } as const;
  expect(names(read(text).servers)).toEqual(['a']);
  expect(problems(readConfigLocation(place, text, { ...CONTEXT, names: new VariableNames() }))).toEqual([
    'x.json:1:27 hosts-transport-unsupported: server `a`: the transport `sse` is not supported',
  ]);
});

test('a server that its host was told not to start is disabled', () => {
  const reading = read(
    '{"mcpServers":{"a":{"command":"x","disabled":true},"b":{"command":"x","enabled":false},"c":{"command":"x"}}}',
  );
  expect(reading.servers.map(({ isDisabled }) => isDisabled)).toEqual([true, true, false]);
});
