import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createServices } from '../../../src/ingress/mcp/methods/services.ts';
import { serveStdio } from '../../../src/ingress/mcp/stdio/stdio-connection.ts';
import { type EventStream, openEventStream } from '../../fixtures/clients/event-client.ts';
import { INITIALIZE, lineClient } from '../../fixtures/clients/line-client.ts';
import { modernMessage, openSession, send } from '../../fixtures/clients/raw-http.ts';
import {
  completed,
  type HttpHarness,
  openHarness,
  principalNamed,
  refused,
  TEST_PORTS,
} from '../../fixtures/http-harness.ts';
import { until } from '../../fixtures/upstream-pool.ts';

let harness: HttpHarness;

beforeEach(async () => {
  harness = await openHarness();
  harness.broker.behaviour = ({ exposedName }) =>
    exposedName === 'memo:denied' ? refused({ visible: false, reason: 'unknown-resource' }) : completed({});
});

afterEach(() => harness.ingress.close({ drainMs: 0 }));

const held = (): string[] => [...harness.broker.subscribed.keys()];
const change = (uri: string): void => harness.broker.subscribed.get(uri)?.();
const AS_DEMO = { authorization: 'Bearer key-of-demo' };

async function ask(session: Record<string, string>, method: string, params: object): Promise<Record<string, unknown>> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  return JSON.parse((await send(harness.ingress.port, { headers: session, body })).body);
}

function listen(notifications: object): Promise<EventStream> {
  const headers = {
    ...AS_DEMO,
    'content-type': 'application/json',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'subscriptions/listen',
  };
  const body = modernMessage('subscriptions/listen', { notifications }, 'sub-1');
  return openEventStream(harness.ingress.port, { method: 'POST', headers, body });
}

const TAG = { 'io.modelcontextprotocol/subscriptionId': 'sub-1' };
const UPDATED = (uri: string, tag = {}): object => ({
  jsonrpc: '2.0',
  method: 'notifications/resources/updated',
  params: { uri, ...tag },
});

test('a legacy session receives updates of a subscribed resource on its stream, until it unsubscribes', async () => {
  const session = await openSession(harness.ingress.port);
  const stream = await openEventStream(harness.ingress.port, { method: 'GET', headers: session });
  expect(await ask(session, 'resources/subscribe', { uri: 'memo:a' })).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
  await ask(session, 'resources/subscribe', { uri: 'memo:b' });
  change('memo:a');
  expect(await stream.next()).toEqual(UPDATED('memo:a'));
  expect(await ask(session, 'resources/unsubscribe', { uri: 'memo:a' })).toMatchObject({ result: {} });
  expect(held()).toEqual(['memo:b']);
  change('memo:b');
  expect(await stream.next()).toEqual(UPDATED('memo:b'));
});

test('a refused subscription gets the error of a missing resource, and unsubscribing without a subscription succeeds', async () => {
  const session = await openSession(harness.ingress.port);
  expect(await ask(session, 'resources/subscribe', { uri: 'memo:denied' })).toMatchObject({ error: { code: -32_002 } });
  expect(await ask(session, 'resources/subscribe', {})).toMatchObject({ error: { code: -32_602 } });
  expect(await ask(session, 'resources/unsubscribe', { uri: 'memo:denied' })).toMatchObject({ result: {} });
  expect(held()).toEqual([]);
});

test('the subscriptions of a legacy session end with it', async () => {
  const session = await openSession(harness.ingress.port);
  await ask(session, 'resources/subscribe', { uri: 'memo:a' });
  await send(harness.ingress.port, { method: 'DELETE', headers: session });
  expect(held()).toEqual([]);
});

test('a listen request is acknowledged with the granted resources, and receives their updates with its id', async () => {
  const stream = await listen({ resourceSubscriptions: ['memo:a', 'memo:denied', 'memo:a', 'memo:b'] });
  expect(await stream.next()).toEqual({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: { resourceSubscriptions: ['memo:a', 'memo:b'] }, _meta: TAG },
  });
  change('memo:b');
  expect(await stream.next()).toEqual(UPDATED('memo:b', { _meta: TAG }));
  expect(harness.broker.calls.map(({ exposedName, operation: verb }) => [verb.action, exposedName])).toEqual([
    ['subscribe', 'memo:a'],
    ['subscribe', 'memo:denied'],
    ['subscribe', 'memo:b'],
  ]);
  stream.leave();
  await until(() => held().length === 0);
});

test('a listen request without grants ends at once', async () => {
  const stream = await listen({ resourceSubscriptions: ['memo:denied'] });
  expect(await stream.next()).toMatchObject({ params: { notifications: {} } });
  expect(await stream.next()).toMatchObject({ id: 'sub-1', result: { resultType: 'complete' } });
  expect(await stream.next()).toBe('ended');
});

test('an update during the grant of a listen request is sent after the acknowledgement', async () => {
  harness.broker.behaviour = ({ exposedName }) => {
    if (exposedName === 'memo:b') change('memo:a');
    return completed({});
  };
  const stream = await listen({ resourceSubscriptions: ['memo:a', 'memo:b'] });
  expect(await stream.next()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
  expect(await stream.next()).toEqual(UPDATED('memo:a', { _meta: TAG }));
});

test.each([
  ['is no list', { resourceSubscriptions: 'memo:a' }],
  ['holds what is no text', { resourceSubscriptions: [7] }],
  ['is longer than 64', { resourceSubscriptions: Array.from({ length: 65 }, (_, at) => `memo:${at}`) }],
])('a list of resources that %s is refused, and no resource is subscribed to', async (_what, filter) => {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' };
  const body = JSON.stringify(modernMessage('subscriptions/listen', { notifications: filter }));
  const answer = await send(harness.ingress.port, { headers, body });
  expect(JSON.parse(answer.body)).toMatchObject({ error: { code: -32_602 } });
  expect(harness.broker.calls).toEqual([]);
});

test('a modern agent has no `resources/subscribe`', async () => {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'resources/subscribe' };
  const body = JSON.stringify(modernMessage('resources/subscribe', { uri: 'memo:a' }));
  expect((await send(harness.ingress.port, { headers, body })).status).toBe(404);
});

test('the capability is declared if a resource can be subscribed to, and only then', async () => {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'server/discover' };
  const discover = async (): Promise<unknown> => {
    const answer = await send(harness.ingress.port, {
      headers,
      body: JSON.stringify(modernMessage('server/discover')),
    });
    return JSON.parse(answer.body).result.capabilities.resources;
  };
  harness.broker.capabilities = { prompts: false, resources: true, completions: false, subscriptions: false };
  expect(await discover()).toEqual({ listChanged: true });
  harness.broker.capabilities = { prompts: false, resources: true, completions: false, subscriptions: true };
  expect(await discover()).toEqual({ listChanged: true, subscribe: true });
});

test('on stdio both eras subscribe on one stream, and its end ends all subscriptions', async () => {
  const [near, far] = duplexPair();
  const services = createServices({ ...TEST_PORTS, broker: harness.broker });
  const served = serveStdio({ services, input: far, output: far, principal: () => principalNamed('demo') });
  const client = lineClient(near);
  client.say(INITIALIZE);
  await client.next();
  client.say({ jsonrpc: '2.0', id: 2, method: 'resources/subscribe', params: { uri: 'memo:a' } });
  expect(await client.next()).toEqual({ jsonrpc: '2.0', id: 2, result: {} });
  client.say(modernMessage('subscriptions/listen', { notifications: { resourceSubscriptions: ['memo:b'] } }, 'sub-1'));
  expect(await client.next()).toMatchObject({ params: { notifications: { resourceSubscriptions: ['memo:b'] } } });
  change('memo:a');
  change('memo:b');
  expect([await client.next(), await client.next()]).toEqual([UPDATED('memo:a'), UPDATED('memo:b', { _meta: TAG })]);
  client.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'sub-1' } });
  await until(() => held().length === 1);
  expect(held()).toEqual(['memo:a']);
  await served.close({ drainMs: 0 });
  expect(held()).toEqual([]);
});
