import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import type { UpstreamServer } from '../../../src/upstream/session/upstream-server.ts';
import { recordingAgent } from '../../fixtures/clients/recording-agent.ts';
import { serveSse } from '../../fixtures/servers/sse-server.ts';
import { type CallPart, httpServer, openPool, textOf, type Upstream } from '../../fixtures/upstream-pool.ts';

function oldServer(url: string): UpstreamServer {
  const server = httpServer(url, { sharing: 'all', startTimeoutMs: 5_000 });
  return { ...server, transport: { type: 'sse', url, resolveHeaders: () => Promise.resolve({ 'x-key': 'k' }) } };
}

/** Calls a tool as the server declares it. */
async function declared(upstream: Upstream): Promise<(tool: string, args?: JsonObject, more?: CallPart) => unknown> {
  const observed = await upstream.pool.discover('srv');
  if ('error' in observed) throw new Error(observed.error);
  return async (tool, args = {}, more = {}) => {
    const definition = observed.tools.find(({ name }) => name === tool) ?? {};
    return textOf(await upstream.call(tool, args, { ...more, definition }));
  };
}

test('a server of the SDK’s first generation over HTTP+SSE lists its tools and is called', async () => {
  const server = await serveSse();
  const upstream = openPool(oldServer(server.url));
  const call = await declared(upstream);
  expect(await call('echo', { text: 'from 2024' })).toBe('from 2024');
  const texts = Array.from({ length: 50 }, (_, index) => `n${index}`);
  expect(await Promise.all(texts.map((text) => call('echo', { text })))).toEqual(texts);
  expect(upstream.pool.status()).toMatchObject([{ state: 'ready', era: 'legacy', sessions: 1 }]);
});

test('a server that refuses a POST is tried with HTTP+SSE', async () => {
  const server = await serveSse();
  const call = await declared(openPool(httpServer(server.url, { sharing: 'all' })));
  expect(await call('echo', { text: 'found' })).toBe('found');
  expect(server.asked.slice(0, 4)).toEqual(['POST /sse', 'POST /sse', 'GET /sse', 'POST /messages']);
});

test('a call with a trace context is posted within its trace', async () => {
  const server = await serveSse();
  const call = await declared(openPool(oldServer(server.url)));
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  expect(await call('echo', { text: 'traced' }, { traceparent })).toBe('traced');
  expect(await call('echo', { text: 'untraced' })).toBe('untraced');
  expect(server.traces).toEqual([expect.stringMatching(/^00-a{32}-(?!b{16})[0-9a-f]{16}-01$/)]);
});

test('a call that hangs ends at its deadline, and others go on', async () => {
  const call = await declared(openPool(oldServer((await serveSse()).url)));
  expect(await call('hang', {}, { timeoutMs: 100 })).toMatchObject({ reason: 'upstream-timeout', inDoubt: true });
  expect(await call('echo', { text: 'x' })).toBe('x');
});

test('a stream that ends is reopened for the next call', async () => {
  const server = await serveSse();
  const upstream = openPool(oldServer(server.url));
  const call = await declared(upstream);
  const hanging = call('hang', {}, { risk: 'write' });
  await call('echo', { text: 'x' });
  server.endStreams();
  expect(await hanging).toMatchObject({ reason: 'upstream-lost', inDoubt: true });
  expect(await call('echo', { text: 'again' })).toBe('again');
  expect(upstream.pool.status()).toMatchObject([{ starts: 2, failures: 1 }]);
});

test.each([
  [
    'of another host',
    () => 'event: endpoint\ndata: http://127.0.0.2:9/messages\n\n',
    'the endpoint has another origin',
  ],
  ['of another port', () => 'event: endpoint\ndata: //127.0.0.1:1/messages\n\n', 'the endpoint has another origin'],
  ['that is not an HTTP URL', () => 'event: endpoint\ndata: file:///etc/passwd\n\n', 'the endpoint has another origin'],
  ['that is not named', () => 'data: /messages\n\n', 'the event stream names no endpoint'],
])('an endpoint %s is not posted to', async (_what, endpoint, problem) => {
  const server = await serveSse({ endpoint });
  const { pool } = openPool(oldServer(server.url));
  expect(await pool.discover('srv')).toEqual({ error: `\`initialize\` failed: ${problem}` });
  expect(server.asked).toEqual(['GET /sse']);
});

test('a server that never names its endpoint is abandoned, and nothing is posted to it afterwards', async () => {
  const server = await serveSse({ endpoint: () => ': waiting\n\n' });
  const { pool } = openPool({ ...oldServer(server.url), startTimeoutMs: 200 });
  expect(await pool.discover('srv')).toEqual({ error: '`initialize` failed: no response came in time' });
  expect(server.asked).toEqual(['GET /sse']);
});

test('over HTTP+SSE progress reaches its call, and a log message the only call of a session of one principal', async () => {
  const server = await serveSse();
  const [shared, own] = [openPool(oldServer(server.url)), openPool({ ...oldServer(server.url), sharing: 'principal' })];
  const received = [];
  for (const upstream of [shared, own]) {
    const call = await declared(upstream);
    const link = recordingAgent({ logLevel: 'info' });
    expect(await call('notify', {}, { link })).toBe('notified');
    received.push(link.received);
  }
  const progress = [{ progress: 1, total: 2 }];
  expect(received).toEqual([
    { progress, log: [] },
    { progress, log: [{ level: 'warning', data: 'so' }] },
  ]);
  expect(shared.pool.status()).toMatchObject([{ droppedMessages: 1 }]);
});
