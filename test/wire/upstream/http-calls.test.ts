import { expect, test } from 'vitest';
import {
  legacyHandler,
  openEvents,
  type RequestHandler,
  sendJson,
  serveHttp,
  textResponse,
} from '../../fixtures/http-upstream.ts';
import { httpServer, openPool, textOf, type Upstream, until } from '../../fixtures/upstream-pool.ts';

const echo: RequestHandler = ({ message }, response) =>
  sendJson(response, textResponse(message.id, JSON.stringify(message.params.arguments?.text).slice(1, -1)));

/** Opens a pool with one legacy HTTP server that has these tools and `echo`. */
async function before(
  tools: Readonly<Record<string, RequestHandler>>,
): Promise<Upstream & Awaited<ReturnType<typeof serveHttp>>> {
  const http = await serveHttp(legacyHandler({ echo, ...tools }));
  return { ...http, ...openPool(httpServer(http.url, { era: 'legacy' })) };
}

test('a result comes back verbatim', async () => {
  const result = { content: [{ type: 'hologram' }], structuredContent: { a: [1, null] }, resultType: 'whatever' };
  const { call } = await before({
    odd: ({ message }, response) => sendJson(response, { jsonrpc: '2.0', id: message.id, result }),
  });
  expect(await call('odd')).toMatchObject({ kind: 'completed', result });
});

test('a JSON-RPC error comes back verbatim, whatever its HTTP status', async () => {
  const error = { code: -32050, message: 'no', data: [1] };
  const { call } = await before({
    fail: ({ message }, response) => sendJson(response, { jsonrpc: '2.0', id: message.id, error }, 500),
  });
  expect(await call('fail')).toMatchObject({ reason: 'upstream-error', inDoubt: false, error });
});

test('a response in an event stream counts, and other messages of the stream do not', async () => {
  const { call, pool } = await before({
    stream: ({ message }, response) => {
      const send = openEvents(response);
      send({ jsonrpc: '2.0', method: 'notifications/message', params: {} });
      send(textResponse(message.id, 'streamed'));
      send(textResponse(message.id, 'again'));
      response.end();
    },
  });
  expect(textOf(await call('stream'))).toBe('streamed');
  await until(() => pool.status()[0]?.droppedMessages === 1);
});

test('a stream that begins with an event of empty data is read up to the response', async () => {
  const { call } = await before({
    primed: ({ message }, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('id: 1\ndata: \n\n');
      response.end(`id: 2\nevent: message\ndata: ${JSON.stringify(textResponse(message.id, 'primed'))}\n\n`);
    },
  });
  expect(textOf(await call('primed'))).toBe('primed');
});

test('200 calls at once are never mixed, whatever the order of their responses', async () => {
  const { call } = await before({
    slow: ({ message }, response) => {
      const { text, ms } = message.params.arguments as { text: string; ms: number };
      setTimeout(() => sendJson(response, textResponse(message.id, text)), ms);
    },
  });
  const nonces = Array.from({ length: 200 }, (_, index) => `nonce-${index}`);
  const replies = await Promise.all(nonces.map((text, index) => call('slow', { text, ms: (index * 37) % 60 })));
  expect(replies.map(textOf)).toEqual(nonces);
});

const INVALID_RESULTS: Readonly<Record<string, RequestHandler>> = {
  'a wrong id': ({ message }, response) => sendJson(response, textResponse((message.id ?? 0) + 7, 'x')),
  'an id of another type': ({ message }, response) =>
    sendJson(response, { ...textResponse(1, 'x'), id: String(message.id) }),
  'no JSON': (_asked, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":'),
  'a page': (_asked, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>hello</h1>'),
  nothing: (_asked, response) => void response.writeHead(202).end(),
  'a batch': ({ message }, response) => sendJson(response, [textResponse(message.id, 'x')]),
  'invalid UTF-8': ({ message }, response) =>
    void response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(
        Buffer.concat([
          Buffer.from(`{"jsonrpc":"2.0","id":${message.id},"result":{"a":"`),
          Buffer.from([0xc3, 0x28]),
          Buffer.from('"}}'),
        ]),
      ),
  '100,000 brackets': ({ message }, response) =>
    void response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(`{"jsonrpc":"2.0","id":${message.id},"result":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`),
  'a compressed body': (_asked, response) =>
    void response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end('x'),
  'a redirect': (_asked, response) => void response.writeHead(307, { location: '/elsewhere' }).end(),
};

test.each(Object.keys(INVALID_RESULTS))('a server that responds with %s fails that call alone', async (lie) => {
  const { call, received } = await before({ lie: INVALID_RESULTS[lie] ?? echo });
  const [lied, beside] = await Promise.all([call('lie'), call('echo', { text: 'unharmed' })]);
  expect(lied).toMatchObject({ kind: 'failed', reason: 'upstream-protocol', inDoubt: true });
  expect(textOf(beside)).toBe('unharmed');
  expect(received.filter(({ headers }) => headers.host === undefined)).toEqual([]);
});

test('a result of 50 MB is refused by its `Content-Length`', async () => {
  const { call } = await before({
    big: (_asked, response) =>
      void response.writeHead(200, { 'content-type': 'application/json', 'content-length': 50 << 20 }).write('{'),
  });
  expect(await call('big')).toMatchObject({ reason: 'result-too-large', inDoubt: true });
});

test.each(['application/json', 'text/event-stream'])('an endless %s body is cut off at the limit', async (type) => {
  let written = 0;
  const { call } = await before({
    endless: (_asked, response) => {
      response.writeHead(200, { 'content-type': type });
      if (type !== 'application/json') response.write('data: ');
      const more = (): void => {
        written += 65_536;
        if (!response.destroyed) response.write('x'.repeat(65_536), more);
      };
      more();
    },
  });
  expect(await call('endless', {}, { maxResultBytes: 100_000 })).toMatchObject({ reason: 'result-too-large' });
  expect(written).toBeLessThan(50 << 20);
});

test('an endless event stream of notifications fails its call once it is 128 times the limit of the result, not before', async () => {
  let sentBytes = 0;
  const { call } = await before({
    chatter: (_asked, response) => {
      const send = openEvents(response);
      const more = setInterval(() => {
        for (let sent = 0; sent < 20; sent += 1)
          send({ jsonrpc: '2.0', method: 'notifications/message', params: { data: 'x'.repeat(10_000) } });
        sentBytes += 200_000;
        if (response.destroyed) clearInterval(more);
      }, 1);
    },
  });
  const outcome = await call('chatter', {}, { maxResultBytes: 100_000 });
  expect(outcome).toMatchObject({ reason: 'result-too-large' });
  // 128 times the limit of the result, plus 1 MB.
  expect(sentBytes).toBeGreaterThanOrEqual(13_800_000);
});

test('a response that arrives byte by byte ends at the deadline', async () => {
  let closed = false;
  const { call } = await before({
    drip: (_asked, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const drip = setInterval(() => response.write(':'), 10);
      response.on('close', () => {
        closed = true;
        clearInterval(drip);
      });
    },
  });
  expect(await call('drip', {}, { timeoutMs: 150 })).toMatchObject({ reason: 'upstream-timeout', inDoubt: true });
  await until(() => closed);
});

test('a hung call fails alone, its socket is closed, and a legacy server is notified', async () => {
  let closed = false;
  const { call, received } = await before({
    hang: (_asked, response) => void response.on('close', () => (closed = true)),
  });
  const hung = call('hang', {}, { timeoutMs: 150 });
  expect(textOf(await call('echo', { text: 'alive' }))).toBe('alive');
  expect(await hung).toMatchObject({ reason: 'upstream-timeout', inDoubt: true });
  await until(() => closed && received.some(({ message }) => message.method === 'notifications/cancelled'));
});

test('an agent that disconnects ends the request at the server', async () => {
  let closed = false;
  const agent = new AbortController();
  const { call, called } = await before({
    hang: (_asked, response) => void response.on('close', () => (closed = true)),
  });
  const hung = call('hang', {}, { signal: agent.signal });
  await until(() => called().includes('hang'));
  agent.abort();
  expect(await hung).toMatchObject({ reason: 'cancelled', inDoubt: true });
  await until(() => closed);
});

test('a socket that breaks after the call was sent leaves a write in doubt, sent once', async () => {
  const { call, called } = await before({ cut: (_asked, response) => void response.destroy() });
  expect(await call('cut')).toMatchObject({ reason: 'upstream-lost', inDoubt: true });
  expect(called()).toEqual(['cut']);
});

test('a read whose socket breaks is retried once', async () => {
  let cuts = 0;
  const { call } = await before({
    flaky: (received, response) => {
      cuts += 1;
      if (cuts === 1) response.destroy();
      else echo(received, response);
    },
  });
  expect(textOf(await call('flaky', { text: 'second time' }, { risk: 'read' }))).toBe('second time');
});

test('a server that does not listen is unavailable, and nothing is in doubt', async () => {
  const http = await serveHttp(echo);
  await http.stop();
  const { call } = openPool(httpServer(http.url));
  expect(await call('echo')).toMatchObject({ reason: 'upstream-unavailable', inDoubt: false });
});

test.each([401, 403, 429, 503])('HTTP %i is not a response of a tool and leaves nothing in doubt', async (status) => {
  const { call } = await before({ no: (_asked, response) => void response.writeHead(status).end('who are you') });
  expect(await call('no')).toMatchObject({
    reason: 'upstream-unavailable',
    message: `the server responded with HTTP ${status}`,
    inDoubt: false,
  });
});

test('HTTP 500 without a response leaves the call in doubt', async () => {
  const { call } = await before({ broken: (_asked, response) => void response.writeHead(500).end('oops') });
  expect(await call('broken')).toMatchObject({ reason: 'upstream-lost', inDoubt: true });
});

test('the registry’s headers go with every request, and ids are the broker’s own', async () => {
  const http = await serveHttp(legacyHandler({ echo }));
  const { call } = openPool(httpServer(http.url, { era: 'legacy', headers: { Authorization: 'Bearer abc' } }));
  await call('echo', { text: 'x' });
  expect(new Set(http.received.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer abc']));
  expect(
    http.received
      .filter(({ method, message }) => method === 'POST' && message.id !== undefined)
      .map(({ message }) => message.id),
  ).toEqual([1, 2, 3]);
});

test('a ping on the event stream of a call is answered', async () => {
  const { call, received } = await before({
    ping: ({ message }, response) => {
      const send = openEvents(response);
      send({ jsonrpc: '2.0', id: 'p1', method: 'ping' });
      send(textResponse(message.id, 'done'));
      response.end();
    },
  });
  expect(textOf(await call('ping'))).toBe('done');
  await until(() =>
    received.some(({ message }) => JSON.stringify(message) === '{"jsonrpc":"2.0","id":"p1","result":{}}'),
  );
});

test('a response that begins and stalls is abandoned before the deadline of the call, and other calls go on', async () => {
  const http = await serveHttp(
    legacyHandler({
      echo,
      stall: ({ message }, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write(`{"jsonrpc":"2.0","id":${message.id},`);
      },
    }),
  );
  const { call } = openPool(httpServer(http.url, { era: 'legacy', stallTimeoutMs: 300 }));
  expect(await call('stall')).toMatchObject({
    reason: 'upstream-timeout',
    message: 'the response began and then stalled; the tool may have acted',
    inDoubt: true,
  });
  expect(textOf(await call('echo', { text: 'x' }))).toBe('x');
});
