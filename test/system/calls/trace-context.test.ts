import { afterEach, beforeEach, expect, test } from 'vitest';
import { governedHome, httpServer, ledgerOf, until, WireAgent } from '../../fixtures/homes/governed-home.ts';
import type { Home } from '../../fixtures/homes/home.ts';
import { type HttpUpstream, legacyHandler, sendJson, serveHttp, textResponse } from '../../fixtures/http-upstream.ts';

const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const UNTRUSTED = { tracestate: 'vendor=said-by-the-agent', baggage: 'user=said-by-the-agent' };

let upstream: HttpUpstream;
let home: Home;
let agent: WireAgent;

beforeEach(async () => {
  upstream = await serveHttp(
    legacyHandler({ echo: ({ message }, response) => sendJson(response, textResponse(message.id, 'done')) }),
  );
  home = governedHome({ servers: { tools: httpServer('tools', upstream.url) } });
  const key = await home.key('demo');
  agent = new WireAgent((await home.serve()).url, key, UNTRUSTED);
  await until(async () => (await agent.tools()).length === 1);
});

afterEach(async () => {
  agent.close();
  await home.close();
});

test('`traceparent` is forwarded to the tool server; `tracestate` and `baggage` are not', async () => {
  const _meta = { traceparent: TRACEPARENT, ...UNTRUSTED };
  const { text } = await agent.ask(
    'tools/call',
    { name: 'tools__echo', arguments: {}, _meta },
    { name: 'tools__echo' },
  );
  expect(text).toBe('done');
  const called = upstream.received.find(({ message }) => message.method === 'tools/call');
  const child = expect.stringMatching(/^00-a{32}-(?!b{16})[0-9a-f]{16}-01$/);
  expect(called?.message.params._meta).toEqual({ traceparent: child });
  expect(called?.headers).toMatchObject({ traceparent: child });
  expect(JSON.stringify(called)).not.toContain('said-by-the-agent');
  const admitted = ledgerOf(home).find(({ entry }) => entry.kind === 'call.admitted');
  expect(admitted?.entry.context).toMatchObject({ traceparent: TRACEPARENT });
});

test('a call without a trace begins none', async () => {
  expect((await agent.call('tools__echo')).text).toBe('done');
  const called = upstream.received.find(({ message }) => message.method === 'tools/call');
  expect(called?.message.params).toEqual({ name: 'echo', arguments: {} });
  expect(called?.headers).not.toHaveProperty('traceparent');
});
