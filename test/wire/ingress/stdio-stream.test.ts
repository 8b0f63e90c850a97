import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Principal } from '../../../src/domain/principal.ts';
import { createServices } from '../../../src/ingress/mcp/methods/services.ts';
import { type StdioConnection, serveStdio } from '../../../src/ingress/mcp/stdio/stdio-connection.ts';
import { INITIALIZE, type LineClient, lineClient } from '../../fixtures/clients/line-client.ts';
import { modernMessage } from '../../fixtures/clients/raw-http.ts';
import {
  completed,
  type FakeBroker,
  fakeBroker,
  principalNamed,
  refused,
  TEST_PORTS,
} from '../../fixtures/http-harness.ts';

let broker: FakeBroker;
let client: LineClient;
let stream: StdioConnection;
let endOfAgent: () => void;
let principal: Principal | undefined;

beforeEach(() => {
  broker = fakeBroker();
  principal = principalNamed('demo');
  const [near, far] = duplexPair();
  const services = createServices({ ...TEST_PORTS, broker, maxMessageBytes: 10_000 });
  stream = serveStdio({ services, input: far, output: far, principal: () => principal });
  client = lineClient(near);
  endOfAgent = () => near.end();
});

afterEach(() => stream.close({ drainMs: 0 }));

const CALL = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'files__echo', arguments: { a: 1 } } };

async function initialize(): Promise<void> {
  client.say(INITIALIZE);
  await client.next();
}

test('a legacy agent initializes, lists and calls', async () => {
  client.say(INITIALIZE);
  expect(await client.next()).toEqual({
    jsonrpc: '2.0',
    id: 'init',
    result: {
      protocolVersion: '2025-06-18',
      capabilities: { tools: { listChanged: true }, logging: {} },
      serverInfo: { name: 'seneschal', version: '0.1.0-test' },
    },
  });
  client.say({ jsonrpc: '2.0', method: 'notifications/initialized' });
  client.say({ jsonrpc: '2.0', id: 2, method: 'tools/list' });
  expect(await client.next()).toMatchObject({ id: 2, result: { tools: [{ name: 'files__echo' }] } });
  client.say(CALL);
  expect(await client.next()).toEqual({
    jsonrpc: '2.0',
    id: 1,
    result: { content: [{ type: 'text', text: '{"a":1}' }] },
  });
  expect(broker.calls[0]?.context).toMatchObject({ transport: 'stdio', protocolVersion: '2025-06-18' });
});

test('a modern agent discovers and calls without a handshake', async () => {
  client.say(modernMessage('server/discover'));
  expect(await client.next()).toMatchObject({
    result: { supportedVersions: ['2026-07-28'], resultType: 'complete', cacheScope: 'private' },
  });
  client.say(modernMessage('tools/call', { name: 'files__echo' }, 'x'));
  expect(await client.next()).toMatchObject({ id: 'x', result: { resultType: 'complete' } });
  expect(broker.calls[0]?.context).toEqual({
    transport: 'stdio',
    protocolVersion: '2026-07-28',
    session: 'stateless',
  });
});

test('a list of several pages is one line per page', async () => {
  broker.tools = Array.from({ length: 3_000 }, (_, index) => ({ name: `t${index}`, title: 'räumt auf' }));
  client.say(modernMessage('tools/list', {}, 'ü'));
  const first = await client.next();
  expect(first).toMatchObject({ jsonrpc: '2.0', id: 'ü', result: { resultType: 'complete', cacheScope: 'private' } });
  const { tools, nextCursor: cursor } = Object(first).result;
  client.say(modernMessage('tools/list', { cursor }, 2));
  const second = await client.next();
  expect(second).not.toHaveProperty('result.nextCursor');
  expect([...tools, ...Object(second).result.tools]).toEqual(broker.tools);
});

test('an agent that found no common modern version can still use the legacy handshake', async () => {
  const probe = JSON.stringify(modernMessage('server/discover')).replace('2026-07-28', '2027-01-01');
  client.say(probe);
  expect(await client.next()).toMatchObject({ error: { code: -32022, data: { supported: ['2026-07-28'] } } });
  await initialize();
  client.say(CALL);
  expect(await client.next()).toMatchObject({ id: 1, result: {} });
});

test('a legacy call before `initialize` reaches no tool', async () => {
  client.say(CALL);
  expect(await client.next()).toMatchObject({ id: 1, error: { code: -32600 } });
  expect(broker.calls).toEqual([]);
});

test('an invalid message gets an error without an id, is recorded, and the stream goes on', async () => {
  await initialize();
  client.say('{nonsense');
  expect(await client.next()).toEqual({
    jsonrpc: '2.0',
    id: null,
    error: { code: -32700, message: 'the message is not JSON' },
  });
  client.say('');
  client.say(CALL);
  expect(await client.next()).toMatchObject({ id: 1, result: {} });
  expect(broker.malformed).toMatchObject([{ principal: { id: 'agent:demo' }, code: -32700 }]);
});

test('a line over the limit is discarded and gets an error, and the stream goes on', async () => {
  await initialize();
  client.say(`{"x":"${'y'.repeat(200_000)}"}`);
  expect(await client.next()).toMatchObject({ id: null, error: { code: -32600, message: 'the message is too large' } });
  client.say(CALL);
  expect(await client.next()).toMatchObject({ id: 1, result: {} });
});

test('replies are sent in the order in which they are ready', async () => {
  let finishFirst: () => void = () => {};
  broker.behaviour = ({ args }) =>
    args.a === 1
      ? new Promise((resolve) => {
          finishFirst = () => resolve(completed({ content: [] }));
        })
      : completed({ content: [] });
  await initialize();
  client.say(CALL);
  client.say({ ...CALL, id: 2, params: { name: 'files__echo', arguments: { a: 2 } } });
  expect(await client.next()).toMatchObject({ id: 2 });
  finishFirst();
  expect(await client.next()).toMatchObject({ id: 1 });
});

test('the id of a request in flight cannot be used again', async () => {
  broker.behaviour = () => new Promise(() => {});
  await initialize();
  client.say(CALL);
  client.say(CALL);
  expect(await client.next()).toMatchObject({ id: 1, error: { code: -32600 } });
  expect(broker.calls).toHaveLength(1);
});

test('a cancelled call is aborted and gets no response', async () => {
  broker.behaviour = (_request, signal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(refused({ reason: 'cancelled', message: 'cancelled' })));
    });
  await initialize();
  client.say(CALL);
  client.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
  for (const id of [2, 3]) {
    client.say({ jsonrpc: '2.0', id, method: 'ping' });
    expect(await client.next()).toEqual({ jsonrpc: '2.0', id, result: {} });
  }
});

test('the calls of an agent are aborted when its input ends', async () => {
  const aborted = new Promise<void>((resolve) => {
    broker.behaviour = (_request, signal) =>
      new Promise(() => {
        signal.addEventListener('abort', () => resolve());
      });
  });
  await initialize();
  client.say(CALL);
  await expect.poll(() => broker.calls.length).toBe(1);
  endOfAgent();
  await aborted;
  await stream.ended;
});

test('a legacy agent receives changes of its own list only', async () => {
  await initialize();
  broker.changeListOf('agent:other');
  broker.changeListOf('agent:demo');
  client.say({ jsonrpc: '2.0', id: 2, method: 'ping' });
  expect(await client.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  expect(await client.next()).toMatchObject({ id: 2 });
});

test('a modern agent receives changes only while it has a subscription', async () => {
  const tag = { 'io.modelcontextprotocol/subscriptionId': 'sub' };
  client.say(
    modernMessage(
      'subscriptions/listen',
      { notifications: { toolsListChanged: true, promptsListChanged: true } },
      'sub',
    ),
  );
  expect(await client.next()).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: { toolsListChanged: true, promptsListChanged: true }, _meta: tag },
  });
  broker.changeListOf('agent:demo');
  expect(await client.next()).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/tools/list_changed',
    params: { _meta: tag },
  });
  client.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'sub' } });
  client.say(modernMessage('tools/list', {}, 2));
  await client.next();
  broker.changeListOf('agent:demo');
  client.say(modernMessage('tools/list', {}, 3));
  expect(await client.next()).toMatchObject({ id: 3 });
});

test('an agent that was removed from the registry is disconnected at its next message', async () => {
  await initialize();
  principal = undefined;
  client.say(CALL);
  await client.ended;
  expect(broker.calls).toEqual([]);
});

test('closing waits for the calls in flight and then ends the stream', async () => {
  let finish: () => void = () => {};
  broker.behaviour = () =>
    new Promise((resolve) => {
      finish = () => resolve(completed({ content: [] }));
    });
  await initialize();
  client.say(CALL);
  await expect.poll(() => broker.calls.length).toBe(1);
  const closed = stream.close({ drainMs: 10_000 });
  finish();
  expect(await client.next()).toMatchObject({ id: 1, result: {} });
  await closed;
  await client.ended;
});

test('`ping` exists in the legacy era only', async () => {
  client.say({ jsonrpc: '2.0', id: 1, method: 'ping' });
  expect(await client.next()).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
  client.say(modernMessage('ping', {}, 2));
  expect(await client.next()).toEqual({ jsonrpc: '2.0', id: 2, error: { code: -32601, message: 'Method not found' } });
});
