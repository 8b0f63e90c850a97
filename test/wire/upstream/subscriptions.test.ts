import type { ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import type { DispatchResult } from '../../../src/domain/outcome.ts';
import type { UpstreamServer } from '../../../src/upstream/session/upstream-server.ts';
import { legacyHandler, openEvents, sendJson, serveHttp, textResponse } from '../../fixtures/http-upstream.ts';
import {
  commandServer,
  httpServer,
  openPool,
  subscriptionOf,
  textOf,
  type Upstream,
  until,
} from '../../fixtures/upstream-pool.ts';

const NOTIFYING = resolve(import.meta.dirname, '../../fixtures/servers/notifying-stdio.mjs');
const ERAS = ['legacy', 'modern'] as const;

function notifying(era: 'legacy' | 'modern', part: Partial<UpstreamServer> = {}): UpstreamServer {
  return commandServer([NOTIFYING, JSON.stringify({ era, resources: true })], { era, ...part });
}

function subscribe({ pool }: Upstream, uri: string, as = 'ana'): Promise<DispatchResult> {
  return pool.dispatch(subscriptionOf(uri, as), { signal: new AbortController().signal });
}

function unsubscribe({ pool }: Upstream, uri: string, as = 'ana'): void {
  pool.unsubscribe(`agent:${as}`, subscriptionOf(uri, as).target);
}

const subscribedIn = async (upstream: Upstream, as = 'ana'): Promise<unknown> =>
  textOf(await upstream.call('subscribed', {}, { as }));

test.each(ERAS)('a server reports a subscribed resource until it is unsubscribed: %s', async (era) => {
  const upstream = openPool(notifying(era));
  expect(await subscribe(upstream, 'memo:a')).toEqual({ kind: 'completed', result: {}, resultBytes: 2 });
  expect(await subscribe(upstream, 'memo:b')).toMatchObject({ kind: 'completed' });
  expect(await subscribedIn(upstream)).toBe('memo:a memo:b');
  await upstream.call('touch', { uri: 'memo:a' });
  await until(() => upstream.updates.length === 1);
  unsubscribe(upstream, 'memo:a');
  await until(async () => (await subscribedIn(upstream)) === 'memo:b');
  await upstream.call('touch', { uri: 'memo:a' });
  await upstream.call('touch', { uri: 'memo:b' });
  await until(() => upstream.updates.length === 2);
  expect(upstream.updates).toEqual(['memo:a agent:ana', 'memo:b agent:ana']);
});

test.each(ERAS)('a subscription that the server refuses does not exist: %s', async (era) => {
  const upstream = openPool(notifying(era));
  await subscribe(upstream, 'memo:a');
  const code = era === 'legacy' ? -32050 : -32602;
  expect(await subscribe(upstream, 'memo:no')).toMatchObject({ reason: 'upstream-error', error: { code } });
  expect(await subscribedIn(upstream)).toBe('memo:a');
});

test.each(ERAS)(
  'a lost session is reopened and resubscribed, and its resources are reported as changed: %s',
  async (era) => {
    const upstream = openPool(notifying(era));
    await subscribe(upstream, 'memo:a');
    await upstream.call('exit');
    await until(() => upstream.updates.length === 1);
    expect(await subscribedIn(upstream)).toBe('memo:a');
    expect(upstream.pool.status()[0]?.starts).toBe(2);
  },
);

test('a change of a sub-resource reaches subscribers of its parent, and a URI with the same prefix does not', async () => {
  const upstream = openPool(notifying('legacy'));
  await subscribe(upstream, 'memo:a');
  await upstream.call('touch', { uri: 'memo:ab', anyway: true });
  await upstream.call('touch', { uri: 'memo:a/b/c', anyway: true });
  await until(() => upstream.updates.length === 1);
  expect(upstream.updates).toEqual(['memo:a/b/c agent:ana']);
  expect(upstream.pool.status()[0]?.droppedMessages).toBe(1);
});

test('each principal is notified of its own resources, and an update without a subscriber is dropped', async () => {
  const upstream = openPool(notifying('legacy'));
  await subscribe(upstream, 'memo:a', 'ana');
  await subscribe(upstream, 'memo:b', 'bob');
  await upstream.call('touch', { uri: 'memo:b' }, { as: 'bob' });
  await upstream.call('touch', { uri: 'memo:b', anyway: true }, { as: 'ana' });
  await until(() => upstream.pool.status()[0]?.droppedMessages === 1);
  await until(() => upstream.updates.length === 1);
  expect(upstream.updates).toEqual(['memo:b agent:bob']);
});

test('principals that share a session share a subscription, and the last one ends it', async () => {
  const upstream = openPool(notifying('legacy', { sharing: 'all' }));
  await subscribe(upstream, 'memo:a', 'ana');
  await subscribe(upstream, 'memo:a', 'bob');
  await upstream.call('touch', { uri: 'memo:a' });
  await until(() => upstream.updates.length === 1);
  expect(upstream.updates).toEqual(['memo:a agent:ana agent:bob']);
  unsubscribe(upstream, 'memo:a', 'ana');
  expect(await subscribedIn(upstream)).toBe('memo:a');
  unsubscribe(upstream, 'memo:a', 'bob');
  await until(async () => (await subscribedIn(upstream)) === '');
});

test('a flood of updates of one resource is reported once', async () => {
  const upstream = openPool(notifying('legacy'));
  await subscribe(upstream, 'memo:a');
  await Promise.all(Array.from({ length: 100 }, () => upstream.call('touch', { uri: 'memo:a' })));
  await until(() => upstream.updates.length > 0);
  expect(upstream.updates.length).toBeLessThan(20);
});

test('subscriptions survive a new revision of the server', async () => {
  const upstream = openPool(notifying('legacy'));
  await subscribe(upstream, 'memo:a');
  upstream.pool.applyServers([notifying('legacy', { revision: '2' })]);
  await until(async () => (await subscribedIn(upstream)) === 'memo:a');
});

test('a session with subscriptions does not end when idle', async () => {
  const upstream = openPool(notifying('legacy', { idleMs: 1 }));
  await subscribe(upstream, 'memo:a');
  const sessions = (): number | undefined => upstream.pool.status()[0]?.sessions;
  await new Promise((done) => setTimeout(done, 2_500));
  expect(sessions()).toBe(1);
  unsubscribe(upstream, 'memo:a');
  await until(() => sessions() === 0);
});

test('a modern server reports list changes on a stream, and is not polled every minute', async () => {
  const upstream = openPool(notifying('modern', { sharing: 'all' }));
  await upstream.pool.discover('srv');
  const change = upstream.nextChange();
  await upstream.call('add');
  expect(await change).toMatchObject({ tools: expect.arrayContaining([expect.objectContaining({ name: 'more' })]) });
});

test('a subscription stream that a modern server ends is reopened, and its resources are reported as changed', async () => {
  const upstream = openPool(notifying('modern'));
  await subscribe(upstream, 'memo:a');
  await upstream.call('hang_up');
  expect(await subscribedIn(upstream)).toBe('');
  await until(async () => (await subscribedIn(upstream)) === 'memo:a');
  await until(() => upstream.updates.length === 1);
  expect(upstream.pool.status()[0]?.starts).toBe(1);
});

test('a forgotten session is detected on its standalone stream and resubscribed', async () => {
  let session = 's-1';
  let stream: ServerResponse | undefined;
  const subscribed: string[] = [];
  const answering = legacyHandler(
    { echo: ({ message }, response) => sendJson(response, textResponse(message.id, 'here')) },
    () => session,
  );
  const { url } = await serveHttp(
    (asked, response) => {
      if (asked.message.method !== 'resources/subscribe') return answering(asked, response);
      subscribed.push(`${session} ${JSON.stringify(asked.message.params.uri)}`);
      sendJson(response, { jsonrpc: '2.0', id: asked.message.id, result: {} });
    },
    {
      onGet: ({ headers }, response) => {
        if (headers['mcp-session-id'] !== session) return void response.writeHead(404).end();
        stream = response;
        openEvents(response);
        response.flushHeaders();
      },
    },
  );
  const upstream = openPool(httpServer(url, { era: 'legacy' }));
  await subscribe(upstream, 'memo:a');
  await until(() => stream !== undefined);
  eventsOn(stream)({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'memo:a' } });
  await until(() => upstream.updates.length === 1);
  session = 's-2';
  stream?.end();
  await until(() => upstream.updates.length === 2);
  expect(subscribed).toEqual(['s-1 "memo:a"', 's-2 "memo:a"']);
});

function eventsOn(stream: ServerResponse | undefined): (message: unknown) => void {
  return (message) => void stream?.write(`data: ${JSON.stringify(message)}\n\n`);
}
