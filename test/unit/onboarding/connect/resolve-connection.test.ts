import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Connection } from '../../../../src/onboarding/connect/host-entry.ts';
import {
  type ConnectionRequest,
  requiredVariables,
  resolveConnection,
} from '../../../../src/onboarding/connect/resolve-connection.ts';

let registry: string;

beforeEach(() => {
  registry = mkdtempSync(join(tmpdir(), 'sen-'));
  write('agents/demo.yaml', 'name: demo\nowner: ana@example.org\n');
  write(
    'servers/crm.yaml',
    'name: crm\ntransport: { type: streamable-http, url: "http://127.0.0.1:9/mcp", headers: { a: "Bearer ${env:CRM_TOKEN}" } }\n',
  );
});

afterEach(() => rmSync(registry, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(registry, path)), { recursive: true });
  writeFileSync(join(registry, path), text);
}

function resolve(request: Partial<ConnectionRequest>, broker: { host?: string; port?: number } = {}): Connection {
  return resolveConnection(
    { http: false, ...request },
    { registry, host: '127.0.0.1', port: 7411, ...broker },
    ({ agent, server }) => ({
      command: 'seneschal',
      args: ['stdio', agent, ...(server === undefined ? [] : [server])],
    }),
  );
}

test('over stdio the only declared agent is used without a name', () => {
  expect(resolve({})).toEqual({
    endpoint: { type: 'stdio', command: 'seneschal', args: ['stdio', 'demo'] },
    agent: 'demo',
  });
});

test('a server of the registry is passed to the command', () => {
  expect(resolve({ agent: 'agent:demo', server: 'crm' }).endpoint).toMatchObject({ args: ['stdio', 'demo', 'crm'] });
});

test('over HTTP the url is built from host and port, with the path of the server', () => {
  expect(resolve({ http: true })).toEqual({ endpoint: { type: 'http', url: 'http://127.0.0.1:7411/mcp' } });
  expect(resolve({ http: true, server: 'crm' }, { host: '::1' }).endpoint).toEqual({
    type: 'http',
    url: 'http://[::1]:7411/servers/crm/mcp',
  });
});

test('a given url needs no agent of this registry', () => {
  expect(resolve({ agent: 'other', url: 'https://tools.example.com/mcp' })).toEqual({
    endpoint: { type: 'http', url: 'https://tools.example.com/mcp' },
    agent: 'other',
  });
});

test('an address that is no destination needs a url', () => {
  for (const broker of [{ host: '0.0.0.0' }, { host: '::' }, { port: 0 }])
    expect(() => resolve({ http: true }, broker)).toThrow('does not determine the url of the broker');
});

test('without a declared agent the hint is to declare one', () => {
  rmSync(join(registry, 'agents'), { recursive: true });
  expect(() => resolve({})).toThrow(/the registry declares no agent .*\nhint: declare one in .*agents\/<name>\.yaml/);
});

test('lists the environment variables of all servers', () => {
  expect(requiredVariables(registry)).toEqual(['CRM_TOKEN']);
});
