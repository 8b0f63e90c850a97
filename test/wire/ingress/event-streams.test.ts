import { type IncomingMessage, request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AuthenticateRequest } from '../../../src/ingress/mcp/streamable-http/endpoint.ts';
import { type EventStream, openEventStream } from '../../fixtures/clients/event-client.ts';
import { modernMessage, openSession } from '../../fixtures/clients/raw-http.ts';
import { type HttpHarness, keysOf, openHarness } from '../../fixtures/http-harness.ts';

let harness: HttpHarness;
let authenticate: AuthenticateRequest;

beforeEach(async () => {
  authenticate = keysOf('demo', 'other');
  harness = await openHarness({ authenticate: (headers, connection) => authenticate(headers, connection) });
});

afterEach(() => harness.ingress.close({ drainMs: 0 }));

function openStream(method: string, headers: Record<string, string>, body?: object): Promise<EventStream> {
  return openEventStream(harness.ingress.port, { method, headers, ...(body === undefined ? {} : { body }) });
}

function listen(filter: object, agent = 'demo'): Promise<EventStream> {
  const headers = {
    authorization: `Bearer key-of-${agent}`,
    'content-type': 'application/json',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'subscriptions/listen',
  };
  return openStream('POST', headers, modernMessage('subscriptions/listen', { notifications: filter }, 'sub-1'));
}

/** Opens the stream of a session whose client reads nothing yet. */
function openUnread(port: number, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: '/mcp', headers, agent: false }, resolve);
    sent.on('error', reject);
    sent.end();
  });
}

async function bytesUntilEnd(response: IncomingMessage): Promise<number> {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  // A reset connection may end in any way.
  await new Promise<void>((resolve) => response.on('close', resolve).on('error', () => {}));
  return bytes;
}

const TAG = { 'io.modelcontextprotocol/subscriptionId': 'sub-1' };
const CHANGED = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };

test('a subscription is acknowledged with its grants, and then receives changes', async () => {
  const stream = await listen({
    toolsListChanged: true,
    promptsListChanged: true,
    taskIds: ['t-1'],
  });
  expect(await stream.next()).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: { toolsListChanged: true, promptsListChanged: true }, _meta: TAG },
  });
  harness.broker.changeListOf('agent:demo');
  expect(await stream.next()).toEqual({ ...CHANGED, params: { _meta: TAG } });
  harness.broker.changeListOf('agent:demo', 'template');
  harness.broker.changeListOf('agent:demo', 'prompt');
  const method = 'notifications/prompts/list_changed';
  expect(await stream.next()).toEqual({ jsonrpc: '2.0', method, params: { _meta: TAG } });
});

test('a subscription without grants ends at once', async () => {
  const stream = await listen({ taskIds: ['t-1'] });
  expect(await stream.next()).toMatchObject({ params: { notifications: {} } });
  expect(await stream.next()).toMatchObject({ id: 'sub-1', result: { resultType: 'complete', _meta: TAG } });
  expect(await stream.next()).toBe('ended');
});

test('an agent does not receive changes of the list of another agent', async () => {
  const mine = await listen({ toolsListChanged: true }, 'demo');
  const theirs = await listen({ toolsListChanged: true }, 'other');
  await mine.next();
  await theirs.next();
  harness.broker.changeListOf('agent:other');
  expect(await theirs.next()).toMatchObject(CHANGED);
  await harness.ingress.close({ drainMs: 0 });
  expect(await mine.next()).toMatchObject({ id: 'sub-1', result: {} });
});

test('closing ends a subscription with its result', async () => {
  const stream = await listen({ toolsListChanged: true });
  await stream.next();
  await harness.ingress.close({ drainMs: 0 });
  expect(await stream.next()).toMatchObject({ id: 'sub-1', result: { resultType: 'complete', _meta: TAG } });
  expect(await stream.next()).toBe('ended');
});

test('a stream whose key is revoked ends without another message', async () => {
  const stream = await listen({ toolsListChanged: true });
  await stream.next();
  authenticate = keysOf();
  harness.broker.changeListOf('agent:demo');
  expect(await stream.next()).toBe('ended');
});

test('a session receives changes on its stream', async () => {
  const stream = await openStream('GET', await openSession(harness.ingress.port));
  expect(stream.status).toBe(200);
  harness.broker.changeListOf('agent:demo');
  expect(await stream.next()).toEqual(CHANGED);
});

test('a second stream of a session replaces the first', async () => {
  const session = await openSession(harness.ingress.port);
  const first = await openStream('GET', session);
  const second = await openStream('GET', session);
  expect(await first.next()).toBe('ended');
  harness.broker.changeListOf('agent:demo');
  expect(await second.next()).toEqual(CHANGED);
});

test('the 65th subscription of one principal is refused', async () => {
  const streams = await Promise.all(Array.from({ length: 64 }, () => listen({ toolsListChanged: true })));
  for (const stream of streams) await stream.next();
  const refused = await listen({ toolsListChanged: true });
  expect(await refused.next()).toBe('ended');
  expect((await listen({ toolsListChanged: true }, 'other')).status).toBe(200);
});

test('an agent that reads receives all of a burst within one turn of the event loop', async () => {
  const stream = await openStream('GET', await openSession(harness.ingress.port));
  for (let change = 0; change < 2_000; change += 1) harness.broker.changeListOf('agent:demo');
  for (let change = 0; change < 2_000; change += 1) expect(await stream.next()).toEqual(CHANGED);
});

test('an agent that does not read is disconnected, and its next stream receives changes', async () => {
  const session = await openSession(harness.ingress.port);
  const idle = await openUnread(harness.ingress.port, session);
  for (let turn = 0; turn < 300; turn += 1) {
    for (let change = 0; change < 1_000; change += 1) harness.broker.changeListOf('agent:demo');
    await new Promise((resolve) => setImmediate(resolve));
  }
  const stream = await openStream('GET', session);
  harness.broker.changeListOf('agent:demo');
  expect(await stream.next()).toEqual(CHANGED);
  expect(await bytesUntilEnd(idle)).toBeLessThan(300 * 1_000 * JSON.stringify(CHANGED).length);
});
