import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { completed, type HttpHarness, openHarness, refused } from '../../fixtures/http-harness.ts';

let harness: HttpHarness;
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  harness = await openHarness();
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await harness.ingress.close({ drainMs: 100 });
});

const requestInit = { headers: { authorization: 'Bearer key-of-demo' } };
const info = { name: 'test-client', version: '1.0.0' };

async function legacyClient(): Promise<Client> {
  const client = new Client(info);
  // `as`: the SDK's own transport does not satisfy its own interface under exactOptionalPropertyTypes.
  await client.connect(new StreamableHTTPClientTransport(new URL(`${harness.url}/mcp`), { requestInit }) as never);
  closers.push(() => client.close());
  return client;
}

async function modernClient(mode: 'auto' | { pin: string }): Promise<ModernClient> {
  const client = new ModernClient(info, { versionNegotiation: { mode } });
  await client.connect(new ModernTransport(new URL(`${harness.url}/mcp`), { requestInit }));
  closers.push(() => client.close());
  return client;
}

test('the SDK v1 client lists and calls', async () => {
  const client = await legacyClient();
  expect(client.getServerVersion()).toEqual({ name: 'seneschal', version: '0.1.0-test' });
  expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['files__echo']);
  expect(await client.callTool({ name: 'files__echo', arguments: { a: 1 } })).toEqual({
    content: [{ type: 'text', text: '{"a":1}' }],
  });
  expect(harness.broker.calls[0]?.context.protocolVersion).toBe('2025-11-25');
});

test('the SDK v2 client negotiates 2026-07-28', async () => {
  const client = await modernClient('auto');
  expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['files__echo']);
  const result = await client.callTool({ name: 'files__echo', arguments: { a: 1 } });
  expect(result.content).toEqual([{ type: 'text', text: '{"a":1}' }]);
  expect(harness.broker.calls[0]?.context).toEqual({
    transport: 'http',
    protocolVersion: '2026-07-28',
    session: 'stateless',
  });
});

test('the SDK v2 client with the legacy handshake is served too', async () => {
  const client = new ModernClient(info);
  await client.connect(new ModernTransport(new URL(`${harness.url}/mcp`), { requestInit }));
  closers.push(() => client.close());
  const result = await client.callTool({ name: 'files__echo', arguments: { b: 2 } });
  expect(result.content).toEqual([{ type: 'text', text: '{"b":2}' }]);
  expect(harness.broker.calls[0]?.context.protocolVersion).toBe('2025-11-25');
});

test('the SDK v2 client calls a tool whose name needs the base64 form of the header', async () => {
  const client = await modernClient({ pin: '2026-07-28' });
  await client.callTool({ name: 'héllo wörld', arguments: {} });
  expect(harness.broker.calls[0]?.exposedName).toBe('héllo wörld');
});

test('a refusal reaches the SDK v1 client as a tool error with its decision', async () => {
  harness.broker.behaviour = () => refused({ retryAfterMs: 1500 }, 'call-7');
  const client = await legacyClient();
  expect(await client.callTool({ name: 'files__echo', arguments: {} })).toEqual({
    content: [{ type: 'text', text: 'too many calls' }],
    isError: true,
    _meta: { 'dev.seneschal/decision': { decisionId: 'call-7', reason: 'rate-exceeded', retryAfterMs: 1500 } },
  });
});

test('an invisible tool reaches both clients as an unknown one', async () => {
  harness.broker.behaviour = () => refused({ stage: 'authorize', reason: 'policy-denied', visible: false });
  const unknown = /Unknown tool: files__secret/;
  await expect((await legacyClient()).callTool({ name: 'files__secret' })).rejects.toThrow(unknown);
  await expect((await modernClient('auto')).callTool({ name: 'files__secret' })).rejects.toThrow(unknown);
});

test('the SDK v1 client receives changes of its own list only', async () => {
  const client = await legacyClient();
  const received = new Promise<string>((resolve) => {
    client.setNotificationHandler(ToolListChangedNotificationSchema, ({ method }) => resolve(method));
  });
  // The client opens its stream after the handshake, so the change is repeated until it arrives.
  const timer = setInterval(() => {
    harness.broker.changeListOf('agent:other');
    harness.broker.changeListOf('agent:demo');
  }, 20);
  expect(await received).toBe('notifications/tools/list_changed');
  clearInterval(timer);
});

test('the SDK v2 client receives a change on its subscription', async () => {
  let changed: () => void = () => {};
  const received = new Promise<void>((resolve) => {
    changed = resolve;
  });
  const client = new ModernClient(info, {
    versionNegotiation: { mode: 'auto' },
    listChanged: { tools: { debounceMs: 0, onChanged: () => changed() } },
  });
  await client.connect(new ModernTransport(new URL(`${harness.url}/mcp`), { requestInit }));
  closers.push(() => client.close());
  const timer = setInterval(() => harness.broker.changeListOf('agent:demo'), 20);
  await received;
  clearInterval(timer);
});

test('a client that aborts its request cancels the call at the broker', async () => {
  const cancelled = new Promise<void>((resolve) => {
    harness.broker.behaviour = (_request, signal) =>
      new Promise((answer) => {
        signal.addEventListener('abort', () => {
          resolve();
          answer(completed({ content: [] }));
        });
      });
  });
  const client = await modernClient('auto');
  const abort = new AbortController();
  const call = client.callTool({ name: 'files__echo', arguments: {} }, { signal: abort.signal });
  await expect.poll(() => harness.broker.calls.length).toBe(1);
  abort.abort();
  await expect(call).rejects.toThrow();
  await cancelled;
});

test('the SDK v1 client cancels by a notification', async () => {
  const cancelled = new Promise<void>((resolve) => {
    harness.broker.behaviour = (_request, signal) =>
      new Promise((answer) => {
        signal.addEventListener('abort', () => {
          resolve();
          answer(refused({ reason: 'cancelled', message: 'cancelled' }));
        });
      });
  });
  const client = await legacyClient();
  const abort = new AbortController();
  const call = client.callTool({ name: 'files__echo', arguments: {} }, undefined, { signal: abort.signal });
  await expect.poll(() => harness.broker.calls.length).toBe(1);
  abort.abort('enough');
  await expect(call).rejects.toThrow('enough');
  await cancelled;
});
