import { describe, expect, test } from 'vitest';
import { editConfig } from '../../../../src/onboarding/connect/edit-config.ts';
import { hostEntry } from '../../../../src/onboarding/connect/host-entry.ts';
import type { ConfigLocation, HostId } from '../../../../src/onboarding/hosts/known-hosts.ts';

const CURSOR: ConfigLocation = { host: 'cursor', scope: 'user', file: 'mcp.json', path: ['mcpServers'] };
const VSCODE: ConfigLocation = { ...CURSOR, host: 'vscode', path: ['servers'] };
const STDIO = { type: 'stdio', command: '/node', args: ['/main.js', 'stdio', '--agent', 'demo'] } as const;
const HTTP = { type: 'http', url: 'http://127.0.0.1:7411/mcp' } as const;

function edited(
  text: string,
  options: { location?: ConfigLocation; http?: boolean; replaceServers?: boolean } = {},
): string {
  const { location = CURSOR, http = false, replaceServers = false } = options;
  const entry = hostEntry(location.host, { endpoint: http ? HTTP : STDIO, agent: 'demo' });
  if ('code' in entry) return entry.message;
  const result = editConfig(text, location, { entry, replaceServers });
  return 'text' in result ? result.text : result.map(({ at, code, message }) => `${at} ${code}: ${message}`).join('\n');
}

describe('the entry of each host', () => {
  test.each<[HostId, object]>([
    ['claude-desktop', { command: '/node', args: STDIO.args }],
    ['claude-code', STDIO],
    ['cursor', STDIO],
    ['cline', STDIO],
    ['vscode', STDIO],
  ])('%s starts `seneschal stdio`', (host, entry) => {
    expect(hostEntry(host, { endpoint: STDIO, agent: 'demo' })).toEqual({ entry });
  });

  test('Claude Code refers to the key as `${NAME}`, Cursor and Cline as `${env:NAME}`', () => {
    expect(hostEntry('claude-code', { endpoint: HTTP })).toEqual({
      entry: { type: 'http', url: HTTP.url, headers: { Authorization: 'Bearer ${SENESCHAL_KEY}' } },
    });
    expect(hostEntry('cursor', { endpoint: HTTP })).toEqual({
      entry: { url: HTTP.url, headers: { Authorization: 'Bearer ${env:SENESCHAL_KEY}' } },
    });
  });

  test('an entry of Cline states its type, because a url alone means SSE there', () => {
    expect(hostEntry('cline', { endpoint: HTTP })).toEqual({
      entry: { type: 'streamableHttp', url: HTTP.url, headers: { Authorization: 'Bearer ${env:SENESCHAL_KEY}' } },
    });
  });

  test('VS Code prompts for the key once', () => {
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

  test('Claude Desktop is refused over HTTP, because its file takes no url', () => {
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

  test('adds the input of VS Code to the existing ones, once', () => {
    const text = '{\n  "inputs": [\n    { "id": "a" }\n  ],\n  "servers": {}\n}\n';
    const once = edited(text, { location: VSCODE, http: true });
    expect(once).toContain('{ "id": "a" },\n    {\n      "type": "promptString",\n      "id": "seneschal-key",');
    expect(edited(once, { location: VSCODE, http: true })).toBe(once);
  });

  test('removes the other servers with `replaceServers`', () => {
    const text = '{\n  "mcpServers": {\n    "a": {},\n    "seneschal": 1,\n    "b": {}\n  }\n}\n';
    expect(JSON.parse(edited(text, { replaceServers: true }))).toEqual({ mcpServers: { seneschal: STDIO } });
  });

  test('changes no byte if the entry exists already, in any layout', () => {
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

  test('is refused if the inputs of VS Code are not a list', () => {
    expect(edited('{"inputs": {}}', { location: VSCODE, http: true })).toBe(
      'mcp.json:1:12 hosts-shape-unknown: `inputs` is not a list',
    );
  });
});
