import { createServer } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProblemError } from '../../../src/domain/problem.ts';
import { openHttpServer } from '../../../src/ingress/http-server.ts';
import { modernCall, modernMessage, openSession, type RawAnswer, send } from '../../fixtures/clients/raw-http.ts';
import { completed, type HttpHarness, keysOf, openHarness, refused, TEST_PORTS } from '../../fixtures/http-harness.ts';

let harness: HttpHarness;

beforeEach(async () => {
  harness = await openHarness();
});

afterEach(() => harness.ingress.close({ drainMs: 0 }));

function modern(method: string, params: object = {}): Promise<RawAnswer> {
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
  return send(harness.ingress.port, { headers, body: JSON.stringify(modernMessage(method, params)) });
}

async function legacy(method: string, params: object = {}): Promise<RawAnswer> {
  const headers = await openSession(harness.ingress.port);
  return send(harness.ingress.port, { headers, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
}

test('`/healthz` reports to any client that the process runs', async () => {
  const answer = await send(harness.ingress.port, { method: 'GET', path: '/healthz', headers: { authorization: '' } });
  expect([answer.status, answer.body]).toEqual([200, '{"status":"ok"}']);
});

test.each([
  [200, true],
  [503, false],
])('`/readyz` responds with %d if ready is %s', async (status, ready) => {
  await harness.ingress.close({ drainMs: 0 });
  harness = await openHarness({ getReadiness: () => ({ ready }) });
  const answer = await send(harness.ingress.port, { method: 'GET', path: '/readyz' });
  expect([answer.status, JSON.parse(answer.body)]).toEqual([status, { ready }]);
});

test.each(['/', '/mcp/', '/mcpx', '/%', '/mcp%2f'])('%s is not found', async (path) => {
  const answer = await send(harness.ingress.port, { method: 'GET', path });
  expect([400, 404]).toContain(answer.status);
  expect(answer.headers['x-powered-by']).toBeUndefined();
});

test('`server/discover` returns the modern version, the capabilities, and a private cache scope', async () => {
  const answer = await modern('server/discover');
  expect([answer.status, JSON.parse(answer.body)]).toEqual([
    200,
    {
      jsonrpc: '2.0',
      id: 1,
      result: {
        supportedVersions: ['2026-07-28'],
        capabilities: { tools: { listChanged: true }, logging: {} },
        ttlMs: 5000,
        cacheScope: 'private',
        resultType: 'complete',
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'seneschal', version: '0.1.0-test' } },
      },
    },
  ]);
});

test('a modern list has a lifetime and a private cache scope', async () => {
  expect(JSON.parse((await modern('tools/list')).body).result).toEqual({
    tools: harness.broker.tools,
    ttlMs: 5000,
    cacheScope: 'private',
    resultType: 'complete',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'seneschal', version: '0.1.0-test' } },
  });
});

test('a list of several pages with non-ASCII text arrives complete', async () => {
  harness.broker.tools = Array.from({ length: 3_000 }, (_, index) => ({ name: `t${index}`, title: 'räumt auf 🧹' }));
  const first = JSON.parse((await modern('tools/list')).body).result;
  const second = JSON.parse((await modern('tools/list', { cursor: first.nextCursor })).body).result;
  expect(second).not.toHaveProperty('nextCursor');
  expect([...first.tools, ...second.tools]).toEqual(harness.broker.tools);
});

test('a legacy list has neither', async () => {
  expect(JSON.parse((await legacy('tools/list')).body).result).toEqual({ tools: harness.broker.tools });
});

test.each(['ping', 'initialize', 'resources/subscribe', 'tools/Call'])(
  'the modern method `%s` is not found',
  async (method) => {
    const answer = await modern(method);
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([404, -32601]);
  },
);

test('an unknown legacy method is an error with HTTP status 200', async () => {
  const answer = await legacy('tasks/list');
  expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([200, -32601]);
});

test('a session responds to `ping`', async () => {
  expect(JSON.parse((await legacy('ping')).body)).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
});

test('the error of a legacy request without a session asks for `initialize`', async () => {
  const answer = await send(harness.ingress.port, { body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' });
  expect([answer.status, JSON.parse(answer.body).id]).toEqual([400, 1]);
});

test('an unsupported legacy version is refused', async () => {
  const headers = { ...(await openSession(harness.ingress.port)), 'mcp-protocol-version': '2024-11-05' };
  const answer = await send(harness.ingress.port, { headers, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
  expect(answer.status).toBe(400);
});

test.each([
  ['2025-03-26', '2025-03-26'],
  ['2025-06-18', '2025-06-18'],
  ['2025-11-25', '2025-11-25'],
  ['2024-11-05', '2025-11-25'],
])('`initialize` with %s negotiates %s', async (requested, settled) => {
  const params = { protocolVersion: requested, capabilities: {}, clientInfo: { name: 'x', version: '1' } };
  const answer = await send(harness.ingress.port, {
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  });
  expect(JSON.parse(answer.body).result.protocolVersion).toBe(settled);
});

test.each(['GET', 'DELETE', 'PUT', 'OPTIONS', 'PATCH'])('%s without a session is not allowed', async (method) => {
  const answer = await send(harness.ingress.port, { method });
  expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
});

test('notifications are accepted without a response body', async () => {
  const headers = await openSession(harness.ingress.port);
  const answer = await send(harness.ingress.port, {
    headers,
    body: '{"jsonrpc":"2.0","method":"notifications/initialized"}',
  });
  expect([answer.status, answer.body]).toEqual([202, '']);
});

test.each([
  ['a name that is a number', { name: 1 }],
  ['no name', {}],
  ['arguments that are a list', { name: 'files__echo', arguments: [] }],
])('a call with %s is refused and recorded', async (_what, params) => {
  const answer = await legacy('tools/call', params);
  expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([200, -32602]);
  expect(harness.broker.calls).toEqual([]);
  expect(harness.broker.malformed).toMatchObject([{ code: -32602 }]);
});

test.each([
  ['the body', { _meta: { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` } }, {}],
  ['the header', {}, { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }],
])('the trace context of %s reaches the call', async (_where, params, headers) => {
  const session = await openSession(harness.ingress.port);
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x', ...params } });
  await send(harness.ingress.port, { headers: { ...session, ...headers }, body });
  expect(harness.broker.calls[0]?.context.traceparent).toBe(`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`);
});

test('an invalid trace context does not reach the call', async () => {
  const session = await openSession(harness.ingress.port);
  const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}';
  await send(harness.ingress.port, { headers: { ...session, traceparent: '00-evil' }, body });
  expect(harness.broker.calls[0]?.context).not.toHaveProperty('traceparent');
});

test('if the broker rejects, one call fails, and its response contains nothing of the error', async () => {
  harness.broker.behaviour = () => Promise.reject(new Error('the secret is hunter2'));
  const { headers, body } = modernCall('files__echo');
  const answer = await send(harness.ingress.port, { headers, body });
  expect([answer.status, JSON.parse(answer.body).error]).toEqual([500, { code: -32603, message: 'Internal error' }]);
});

test('a port in use is a problem with a hint', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const opening = openHttpServer({
    ...TEST_PORTS,
    broker: harness.broker,
    authenticate: keysOf(),
    port,
    getReadiness: () => ({ ready: true }),
  });
  const error = await opening.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProblemError);
  expect(error).toMatchObject({ code: 'ingress-listen-failed', at: '--port' });
  taken.close();
});

test('closing waits for a call in flight and sends its reply', async () => {
  let finish: () => void = () => {};
  harness.broker.behaviour = () =>
    new Promise((resolve) => {
      finish = () => resolve(completed({ content: [] }));
    });
  const { headers, body } = modernCall('files__echo');
  const call = send(harness.ingress.port, { headers, body });
  await expect.poll(() => harness.broker.calls.length).toBe(1);
  const closed = harness.ingress.close({ drainMs: 10_000 });
  finish();
  expect((await call).status).toBe(200);
  await closed;
});

test('closing cancels a call that takes too long, and still sends its reply', async () => {
  harness.broker.behaviour = (_request, signal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(refused({ reason: 'cancelled', message: 'cancelled' })));
    });
  const { headers, body } = modernCall('files__echo');
  const call = send(harness.ingress.port, { headers, body });
  await expect.poll(() => harness.broker.calls.length).toBe(1);
  await harness.ingress.close({ drainMs: 1 });
  expect(JSON.parse((await call).body).result.isError).toBe(true);
});

test('a closed server no longer listens to the broker', async () => {
  await harness.ingress.close({ drainMs: 0 });
  expect(harness.broker.listeners).toBe(0);
});
