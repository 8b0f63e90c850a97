import { afterAll, beforeAll, expect, test } from 'vitest';
import { modernCall, send } from '../../fixtures/clients/raw-http.ts';
import { type HttpHarness, openHarness } from '../../fixtures/http-harness.ts';

let harness: HttpHarness;

beforeAll(async () => {
  harness = await openHarness({
    allowedHosts: ['broker.example.org'],
    allowedOrigins: ['https://console.example.org'],
  });
});

afterAll(() => harness.ingress.close({ drainMs: 0 }));

async function statusOf(headers: Record<string, string>, path = '/mcp'): Promise<number> {
  const call = modernCall('files__echo');
  const answer = await send(harness.ingress.port, { path, headers: { ...call.headers, ...headers }, body: call.body });
  return answer.status;
}

test.each(['/mcp', '/healthz', '/readyz', '/nothing'])('a page of another origin is refused on %s', async (path) => {
  expect(await statusOf({ origin: 'http://evil.test' }, path)).toBe(403);
});

test.each(['/mcp', '/healthz', '/readyz', '/nothing'])('another host name is refused on %s', async (path) => {
  expect(await statusOf({ host: `evil.test:${harness.ingress.port}` }, path)).toBe(403);
});

test('another origin is refused before the body is parsed', async () => {
  const answer = await send(harness.ingress.port, { headers: { origin: 'http://evil.test' }, body: '{' });
  expect(answer.status).toBe(403);
  expect(harness.broker.malformed).toEqual([]);
});

test.each(['null', 'http://127.0.0.1', 'http://localhost.evil.test', 'https://console.example.org.evil.test'])(
  'the origin %s is foreign',
  async (origin) => {
    expect(await statusOf({ origin })).toBe(403);
  },
);

test.each([
  'localhost',
  '127.0.0.1:1',
  'broker.example.org.evil.test',
  'evil.test#127.0.0.1',
  'BROKER.example.org:80x',
])('the host `%s` is refused', async (host) => {
  expect(await statusOf({ host })).toBe(403);
});

test('a program without an origin is served with every loopback name', async () => {
  for (const name of ['localhost', '127.0.0.1', '[::1]', 'LOCALHOST']) {
    expect(await statusOf({ host: `${name}:${harness.ingress.port}` })).toBe(200);
  }
});

test('configured hosts and origins are served', async () => {
  expect(await statusOf({ host: 'broker.example.org' })).toBe(200);
  expect(await statusOf({ host: 'Broker.Example.org:8443' })).toBe(200);
  expect(await statusOf({ origin: 'https://console.example.org' })).toBe(200);
});
