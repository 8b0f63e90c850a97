import { duplexPair } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ClientContext } from '../../../src/domain/mcp/client-context.ts';
import { createServices } from '../../../src/ingress/mcp/methods/services.ts';
import { serveStdio } from '../../../src/ingress/mcp/stdio/stdio-connection.ts';
import { type EventStream, openEventStream } from '../../fixtures/clients/event-client.ts';
import { INITIALIZE, lineClient } from '../../fixtures/clients/line-client.ts';
import { modernMessage, openSession, send } from '../../fixtures/clients/raw-http.ts';
import {
  completed,
  fakeBroker,
  type HttpHarness,
  openHarness,
  principalNamed,
  TEST_PORTS,
} from '../../fixtures/http-harness.ts';

let harness: HttpHarness;
/** Client context of each call that the broker received, oldest first. */
let contexts: (ClientContext | undefined)[];

beforeEach(async () => {
  contexts = [];
  harness = await openHarness();
  harness.broker.behaviour = (_request, _signal, context) => {
    contexts.push(context);
    context?.log({ level: 'info', logger: 'l', data: { a: 1 } });
    context?.progress({ progress: 1, total: 2, message: 'half', progressToken: 'theirs' });
    context?.log({ level: 'debug', data: 'too low' });
    return completed({ content: [] });
  };
});

afterEach(() => harness.ingress.close({ drainMs: 0 }));

const BOTH = 'application/json, text/event-stream';
const DONE = { jsonrpc: '2.0', id: 7, result: { content: [] } };
const HALF = (progressToken: unknown): object => ({
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progressToken, progress: 1, total: 2, message: 'half' },
});
const LOGGED = {
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', logger: 'l', data: { a: 1 } },
};

function call(meta: object | undefined): object {
  const params = { name: 'files__echo', arguments: {}, ...(meta === undefined ? {} : { _meta: meta }) };
  return { jsonrpc: '2.0', id: 7, method: 'tools/call', params };
}

function post(headers: Record<string, string>, body: object, accept = BOTH): Promise<EventStream> {
  const all = { authorization: 'Bearer key-of-demo', 'content-type': 'application/json', accept, ...headers };
  return openEventStream(harness.ingress.port, { method: 'POST', headers: all, body });
}

function modern(meta: object, accept = BOTH): Promise<EventStream> {
  const body = modernMessage('tools/call', { name: 'files__echo', arguments: {} }, 7) as { params: { _meta: object } };
  body.params._meta = { ...body.params._meta, ...meta };
  return post(
    { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'files__echo' },
    body,
    accept,
  );
}

async function setLevel(session: Record<string, string>, level: unknown): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'logging/setLevel', params: { level } });
  return JSON.parse((await send(harness.ingress.port, { headers: session, body })).body);
}

test('a call with neither token nor level gets one JSON body, and the broker gets no client context', async () => {
  const session = await openSession(harness.ingress.port);
  for (const answer of [await post(session, call(undefined)), await modern({}), await post(session, call({}))]) {
    expect(answer.type).toBe('application/json');
  }
  expect(contexts).toEqual([undefined, undefined, undefined]);
});

test('progress of a legacy call comes on its own stream, before the reply and with the token of the agent', async () => {
  const stream = await post(await openSession(harness.ingress.port), call({ progressToken: 'mine' }));
  expect(stream.type).toBe('text/event-stream');
  expect([await stream.next(), await stream.next(), await stream.next()]).toEqual([HALF('mine'), DONE, 'ended']);
});

test('a modern call states its own token and level', async () => {
  const stream = await modern({ progressToken: 0, 'io.modelcontextprotocol/logLevel': 'info' });
  expect([await stream.next(), await stream.next()]).toEqual([LOGGED, HALF(0)]);
  expect(await stream.next()).toMatchObject({ id: 7, result: { resultType: 'complete' } });
});

test('a client that does not accept event streams gets none', async () => {
  const answer = await modern({ progressToken: 1 }, 'application/json');
  expect([answer.status, answer.type]).toEqual([200, 'application/json']);
});

test('an invalid progress token counts as none', async () => {
  for (const progressToken of [null, 1.5, {}, 'x'.repeat(257)]) await modern({ progressToken });
  expect(contexts).toEqual([undefined, undefined, undefined, undefined]);
});

test('the log level of a legacy session applies to its own calls only', async () => {
  const [session, other] = [await openSession(harness.ingress.port), await openSession(harness.ingress.port)];
  expect(await setLevel(session, 'info')).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
  const stream = await post(session, call(undefined));
  expect([await stream.next(), await stream.next()]).toEqual([LOGGED, DONE]);
  expect((await post(other, call(undefined))).type).toBe('application/json');
});

test('an unknown log level is refused in both eras', async () => {
  const session = await openSession(harness.ingress.port);
  for (const level of ['loud', 7, undefined]) {
    expect(await setLevel(session, level)).toMatchObject({ error: { code: -32602 } });
  }
  const answer = await modern({ 'io.modelcontextprotocol/logLevel': 'loud' });
  expect(answer.status).toBe(400);
});

test('no notification is sent after the reply, or to an agent whose key was revoked meanwhile', async () => {
  let isKnown = true;
  await harness.ingress.close({ drainMs: 0 });
  harness = await openHarness({
    authenticate: () => (isKnown ? { ok: true, principal: principalNamed('demo') } : { ok: false }),
  });
  harness.broker.behaviour = (_request, _signal, context) => {
    contexts.push(context);
    context?.progress({ progress: 1 });
    isKnown = false;
    context?.progress({ progress: 2 });
    return completed({ content: [] });
  };
  const stream = await modern({ progressToken: 'a' });
  expect(await stream.next()).toMatchObject({ params: { progress: 1 } });
  expect(await stream.next()).toMatchObject({ id: 7 });
  contexts[0]?.progress({ progress: 3 });
  expect(await stream.next()).toBe('ended');
});

test('an agent that does not read loses notifications but not the reply, and the broker buffers little', async () => {
  const data = 'x'.repeat(10_000);
  harness.broker.behaviour = (_request, _signal, context) => {
    for (let sent = 0; sent < 10_000; sent += 1) context?.log({ level: 'error', data });
    return completed({ content: [] });
  };
  const stream = await modern({ 'io.modelcontextprotocol/logLevel': 'debug' });
  const seen: unknown[] = [];
  for (let event = await stream.next(); event !== 'ended'; event = await stream.next()) seen.push(event);
  expect(seen.at(-1)).toMatchObject({ id: 7, result: {} });
  expect(seen.length).toBeLessThan(1_000);
});

/** Half a megabyte of distinct progress notifications. */
const BURST = Array.from({ length: 5_000 }, (_, index) => index);
/** The part of it that is buffered for an agent that does not read. */
const UNREAD_BYTES = 1_048_576;

function sendBurst(): void {
  harness.broker.behaviour = (_request, _signal, context) => {
    for (const progress of BURST) context?.progress({ progress });
    return completed({ content: [] });
  };
}

test('an agent that reads receives all notifications of one turn of the event loop, in order', async () => {
  sendBurst();
  const stream = await modern({ progressToken: 'a' });
  const seen: unknown[] = [];
  for (let event = await stream.next(); event !== 'ended'; event = await stream.next()) seen.push(event);
  expect(seen.pop()).toMatchObject({ id: 7, result: {} });
  expect(seen.map((event) => (event as { params: { progress: number } }).params.progress)).toEqual(BURST);
});

test('dropped notifications are reported, and the agent receives the others in order once it reads', async () => {
  const data = 'x'.repeat(50_000);
  const delivered: number[] = [];
  harness.broker.behaviour = (_request, _signal, context) => {
    for (let at = 0; at < 100; at += 1) if (context?.log({ level: 'error', data: `${at} ${data}` })) delivered.push(at);
    return completed({ content: [] });
  };
  const stream = await modern({ 'io.modelcontextprotocol/logLevel': 'debug' });
  const seen: unknown[] = [];
  for (let event = await stream.next(); event !== 'ended'; event = await stream.next()) seen.push(event);
  expect(seen.pop()).toMatchObject({ id: 7, result: {} });
  expect(seen.map((event) => Number.parseInt((event as { params: { data: string } }).params.data, 10))).toEqual(
    delivered,
  );
  expect(delivered.length * data.length).toBeGreaterThan(UNREAD_BYTES - data.length);
  expect(delivered.length * data.length).toBeLessThan(UNREAD_BYTES + data.length);
});

/** A stdio connection and its agent. */
function openStdio() {
  const [near, far] = duplexPair();
  const services = createServices({
    ...TEST_PORTS,
    broker: { ...fakeBroker(), call: (...all) => harness.broker.call(...all) },
  });
  const served = serveStdio({ services, input: far, output: far, principal: () => principalNamed('demo') });
  return { client: lineClient(near), served };
}

test('on stdio too an agent that reads receives all notifications of one turn of the event loop, in order', async () => {
  sendBurst();
  const { client, served } = openStdio();
  const message = modernMessage('tools/call', { name: 'files__echo' }, 8) as { params: { _meta: object } };
  message.params._meta = { ...message.params._meta, progressToken: 'q' };
  client.say(message);
  for (const progress of BURST) expect(await client.next()).toMatchObject({ params: { progress } });
  expect(await client.next()).toMatchObject({ id: 8, result: {} });
  await served.close({ drainMs: 0 });
});

test('on stdio notifications are lines before the reply, in both eras', async () => {
  const { client, served } = openStdio();
  client.say(INITIALIZE);
  expect(await client.next()).toMatchObject({ result: { capabilities: { logging: {} } } });
  client.say({ jsonrpc: '2.0', id: 2, method: 'logging/setLevel', params: { level: 'info' } });
  expect(await client.next()).toEqual({ jsonrpc: '2.0', id: 2, result: {} });
  client.say(call({ progressToken: 'p' }));
  expect([await client.next(), await client.next(), await client.next()]).toEqual([LOGGED, HALF('p'), DONE]);
  const message = modernMessage('tools/call', { name: 'files__echo' }, 8) as { params: { _meta: object } };
  message.params._meta = { ...message.params._meta, progressToken: 'q' };
  client.say(message);
  expect([await client.next(), await client.next()]).toMatchObject([HALF('q'), { id: 8, result: {} }]);
  await served.close({ drainMs: 0 });
});
