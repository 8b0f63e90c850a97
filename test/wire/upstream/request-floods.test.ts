import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { SseParser } from '../../../src/upstream/transport/sse-parser.ts';
import { recordingAgent } from '../../fixtures/clients/recording-agent.ts';
import {
  legacyHandler,
  openEvents,
  type RequestHandler,
  sendJson,
  serveHttp,
  textResponse,
} from '../../fixtures/http-upstream.ts';
import { httpServer, openPool, textOf, type Upstream, until } from '../../fixtures/upstream-pool.ts';

const PING = { jsonrpc: '2.0', id: 'p', method: 'ping' };

const dropped = ({ pool }: Upstream): number | undefined => pool.status()[0]?.droppedMessages;

/** A server whose tool `flood` sends requests before its response. The POSTs that answer them wait in `held`. */
async function flooding(requests: readonly object[]): Promise<{ url: string; held: ServerResponse[] }> {
  const held: ServerResponse[] = [];
  const legacy = legacyHandler({
    flood: ({ message }, response) => {
      const send = openEvents(response);
      for (const request of requests) send(request);
      send(textResponse(message.id, 'flooded'));
      response.end();
    },
  });
  const answering: RequestHandler = (asked, response) => {
    if (asked.message.method === undefined) held.push(response);
    else legacy(asked, response);
  };
  return { url: (await serveHttp(answering)).url, held };
}

const many = (count: number, message: object): readonly object[] => Array.from({ length: count }, () => message);

test('a server that sends requests faster than it takes responses gets four at a time, and the queue is bounded', async () => {
  const { url, held } = await flooding(many(200, PING));
  const upstream = openPool(httpServer(url, { era: 'legacy' }));
  expect(textOf(await upstream.call('flood', {}, { link: recordingAgent() }))).toBe('flooded');
  expect(dropped(upstream)).toBe(132);
  await until(() => held.length === 4);
  let answered = 0;
  while (answered < 68) {
    await until(() => held.length > 0);
    expect(held.length).toBeLessThanOrEqual(4);
    answered += 1;
    held.shift()?.writeHead(202).end();
  }
  expect([held.length, dropped(upstream)]).toEqual([0, 132]);
});

test.each(['ping', 'foo/bar'])(
  'requests of a server on the stream of a call are answered as often as it may notify: %s',
  async (method) => {
    const { url, held } = await flooding(many(20, { ...PING, method }));
    const upstream = openPool(httpServer(url, { era: 'legacy', maxNotifications: 3 }));
    expect(textOf(await upstream.call('flood', {}, { link: recordingAgent() }))).toBe('flooded');
    await until(() => held.length === 3);
    expect(dropped(upstream)).toBe(17);
  },
);

test('notifications and requests of a server during a call are counted separately', async () => {
  const log = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'note' } };
  const { url, held } = await flooding([...many(3, log), ...many(3, PING), ...many(2, log), ...many(4, PING)]);
  const upstream = openPool(httpServer(url, { era: 'legacy', maxNotifications: 3 }));
  const agent = recordingAgent({ logLevel: 'debug' });
  expect(textOf(await upstream.call('flood', {}, { link: agent }))).toBe('flooded');
  await until(() => held.length === 3);
  expect([agent.received.log.length, dropped(upstream)]).toEqual([3, 6]);
});

test('a server that floods requests on its standalone stream is disconnected from it for a while, and is still called', async () => {
  let closed = 0;
  const server = await serveHttp(
    legacyHandler(
      { echo: ({ message }, response) => sendJson(response, textResponse(message.id, 'called')) },
      () => 's',
    ),
    {
      onGet: (_asked, response) => {
        response.on('close', () => {
          closed += 1;
        });
        const send = openEvents(response);
        for (const ping of many(1_100, PING)) send(ping);
      },
    },
  );
  const upstream = openPool(httpServer(server.url, { era: 'legacy' }));
  await upstream.call('echo');
  await until(() => closed === 1);
  expect(dropped(upstream)).toBeGreaterThanOrEqual(76);
  expect(textOf(await upstream.call('echo'))).toBe('called');
  // The second stream, a second later, ends with its first event: the ten seconds are not over.
  await until(() => closed === 2);
  expect(server.received.filter(({ method }) => method === 'GET')).toHaveLength(2);
});

test('the session of an HTTP+SSE server that floods requests is ended', async () => {
  const server = await serveHttp((_asked, response) => response.writeHead(202).end(), {
    onGet: (_asked, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: endpoint\ndata: /messages\n\n');
      for (const ping of many(1_100, PING)) response.write(`data: ${JSON.stringify(ping)}\n\n`);
    },
  });
  const { url } = server;
  const transport = { type: 'sse', url, resolveHeaders: () => Promise.resolve({}) } as const;
  const upstream = openPool({ ...httpServer(url, { sharing: 'all' }), transport });
  expect(await upstream.pool.discover('srv')).toEqual({
    error: expect.stringContaining('the server sent too many requests'),
  });
});

test('calls beyond 256 wait for a socket, and all complete', async () => {
  const held: (() => void)[] = [];
  const server = await serveHttp(
    legacyHandler({
      wait: ({ message }, response) =>
        held.push(() => {
          openEvents(response)(textResponse(message.id, 'waited'));
          response.end();
        }),
    }),
  );
  const upstream = openPool(httpServer(server.url, { era: 'legacy', sharing: 'all' }));
  await upstream.pool.discover('srv');
  const calls = Promise.all(Array.from({ length: 260 }, () => upstream.call('wait')));
  await until(() => held.length === 256);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(held).toHaveLength(256);
  const answering = setInterval(() => {
    for (const answer of held.splice(0)) answer();
  }, 5);
  expect(new Set((await calls).map(textOf))).toEqual(new Set(['waited']));
  clearInterval(answering);
});

test('a stream with many events pauses for a turn of the event loop', async () => {
  const reader = new SseParser(1_024, () => {});
  const calls: string[] = [];
  const stream = { pause: () => void calls.push('pause'), resume: () => void calls.push('resume') };
  reader.push(Buffer.from('data: x\n\n'.repeat(63)));
  reader.yieldToEventLoop(stream);
  expect(calls).toEqual([]);
  reader.push(Buffer.from('data: x\n\n'));
  reader.yieldToEventLoop(stream);
  expect(calls).toEqual(['pause']);
  await new Promise((resolve) => setImmediate(resolve));
  expect(calls).toEqual(['pause', 'resume']);
});
