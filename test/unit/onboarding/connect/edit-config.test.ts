import { describe, expect, test } from 'vitest';
import { editConfig } from '../../../../src/onboarding/connect/edit-config.ts';
import { hostEntry } from '../../../../src/onboarding/connect/host-entry.ts';
import type { ConfigLocation, HostId } from '../../../../src/onboarding/hosts/known-hosts.ts';

const PLACE: ConfigLocation = { host: 'cursor', scope: 'user', file: 'mcp.json', path: ['mcpServers'] };
const VSCODE: ConfigLocation = { ...PLACE, host: 'vscode', path: ['servers'] };
const STDIO = { type: 'stdio', command: '/node', args: ['/main.js', 'stdio', '--agent', 'demo'] } as const;
const HTTP = { type: 'http', url: 'http://127.0.0.1:7411/mcp' } as const;

function edited(
  text: string,
  options: { place?: ConfigLocation; http?: boolean; replaceServers?: boolean } = {},
): string {
  const { place = PLACE, http = false, replaceServers = false } = options;
  const entry = hostEntry(place.host, { endpoint: http ? HTTP : STDIO, agent: 'demo' });
  if ('code' in entry) return entry.message;
  const result = editConfig(text, place, { entry, replaceServers });
  return 'text' in result ? result.text : result.map(({ at, code, message }) => `${at} ${code}: ${message}`).join('\n');
}

describe('the entry of each host', () => {
  test.each<[HostId, object]>([
    ['claude-desktop', { command: '/node', args: STDIO.args }],
    ['claude-code', STDIO],
    ['cursor', STDIO],
    ['cline', STDIO],
    ['vscode', STDIO],
  ])('%s starts the shim over stdio', (host, entry) => {
    expect(hostEntry(host, { endpoint: STDIO, agent: 'demo' })).toEqual({ entry });
  });

  test('Claude Code finds the key in its environment by `${NAME}`, Cursor and Cline by `${env:NAME}`', () => {
    expect(hostEntry('claude-code', { endpoint: HTTP })).toEqual({
      entry: { type: 'http', url: HTTP.url, headers: { Authorization: 'Bearer ${SENESCHAL_KEY}' } },
    });
    expect(hostEntry('cursor', { endpoint: HTTP })).toEqual({
      entry: { url: HTTP.url, headers: { Authorization: 'Bearer ${env:SENESCHAL_KEY}' } },
    });
  });

  test('Cline takes a url for one of SSE unless its entry says otherwise', () => {
    expect(hostEntry('cline', { endpoint: HTTP })).toEqual({
      entry: { type: 'streamableHttp', url: HTTP.url, headers: { Authorization: 'Bearer ${env:SENESCHAL_KEY}' } },
    });
  });

  test('VS Code asks for the key once', () => {
    expect(hostEntry('vscode', { endpoint: HTTP, agent: 'demo' })).toEqual({
      entry: { type: 'http', url: HTTP.url, headers: { Authorization: 'Bearer ${input:seneschal-key}' } },
      input: {
        type: 'promptString',
        id: 'seneschal-key',
        description: 'Seneschal key of agent:demo',
        password: true,
      },
    });
  });

  test('the file of Claude Desktop holds no url, so that HTTP is refused', () => {
    expect(hostEntry('claude-desktop', { endpoint: HTTP })).toMatchObject({
      code: 'hosts-http-unsupported',
      at: 'claude-desktop',
    });
  });
});

describe('the edit of a file', () => {
  test('keeps comments, order and all other servers', () => {
    expect(edited('{\n  // mine\n  "mcpServers": {\n    "a": { "command": "a" }\n  },\n  "other": 1\n}\n')).toBe(
      `{
  // mine
  "mcpServers": {
    "a": { "command": "a" },
    "seneschal": {
      "type": "stdio",
      "command": "/node",
      "args": [
        "/main.js",
        "stdio",
        "--agent",
        "demo"
      ]
    }
  },
  "other": 1
}
`,
    );
  });

  test('adds the input of VS Code beside those that are there, once', () => {
    const text = '{\n  "inputs": [\n    { "id": "a" }\n  ],\n  "servers": {}\n}\n';
    const once = edited(text, { place: VSCODE, http: true });
    expect(once).toContain('{ "id": "a" },\n    {\n      "type": "promptString",\n      "id": "seneschal-key",');
    expect(edited(once, { place: VSCODE, http: true })).toBe(once);
  });

  test('takes the other servers out where that is asked for', () => {
    const text = '{\n  "mcpServers": {\n    "a": {},\n    "seneschal": 1,\n    "b": {}\n  }\n}\n';
    expect(JSON.parse(edited(text, { replaceServers: true }))).toEqual({ mcpServers: { seneschal: STDIO } });
  });

  test('changes no byte where the entry is there already, however it is laid out', () => {
    const text = `{"mcpServers":{"seneschal":{"args":${JSON.stringify(STDIO.args)},"command":"/node","type":"stdio"}}}`;
    expect(edited(text)).toBe(text);
  });

  test.each([
    ['{ "mcpServers": ', 'mcp.json:1:17 hosts-syntax: this is not valid JSON: missing value'],
    ['[]', 'mcp.json:1:1 hosts-shape-unknown: the file is not an object'],
    ['{"mcpServers": []}', 'mcp.json:1:16 hosts-shape-unknown: `mcpServers` is not an object'],
    [
      '{"mcpServers": {}, "mcpServers": {}}',
      'mcp.json:1:20 hosts-duplicate-key: the key `mcpServers` occurs twice, and it is unclear which of the two its program uses',
    ],
  ])('is refused for %s', (text, problem) => {
    expect(edited(text).split('\n')[0]).toBe(problem);
  });

  test('is refused where the inputs of VS Code are no list', () => {
    expect(edited('{"inputs": {}}', { place: VSCODE, http: true })).toBe(
      'mcp.json:1:12 hosts-shape-unknown: `inputs` is not a list',
    );
  });
});
