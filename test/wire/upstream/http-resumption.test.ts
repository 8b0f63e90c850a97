import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import type { ClientContext } from '../../../src/domain/mcp/client-context.ts';
import {
  type HttpUpstream,
  legacyHandler,
  type ReceivedRequest,
  type RequestHandler,
  sendJson,
  serveHttp,
  textResponse,
} from '../../fixtures/http-upstream.ts';
import { httpServer, openPool, textOf, type Upstream, until } from '../../fixtures/upstream-pool.ts';

/** Writes events as raw lines and ends the stream. */
function stream(response: ServerResponse, ...events: readonly string[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(events.map((event) => `${event}\n\n`).join(''));
}

const message = (value: unknown): string => `data: ${JSON.stringify(value)}`;
const prime = (id: string, retry = 'retry: 1\n'): string => `id: ${id}\n${retry}data: `;
const isResumption = ({ headers }: ReceivedRequest): boolean => headers['last-event-id'] !== undefined;
/** True for a GET that resumes a call: a GET without `Last-Event-ID` opens the standalone stream. */
const listening: RequestHandler = (_asked, response) => void response.writeHead(405).end();

interface Resumable extends Upstream, HttpUpstream {
  readonly resumptions: () => readonly ReceivedRequest[];
}

/** Opens a pool with a legacy server that has one tool, `poll`; `resumed` responds to each GET that resumes a call. */
async function before(
  poll: RequestHandler,
  resumed: readonly RequestHandler[],
  part: Parameters<typeof httpServer>[1] = {},
): Promise<Resumable> {
  const left = [...resumed];
  const http = await serveHttp(
    legacyHandler({ poll }, () => 'session-1'),
    {
      onGet: (asked, response) =>
        isResumption(asked) ? (left.shift() ?? listening)(asked, response) : listening(asked, response),
    },
  );
  const resumptions = (): readonly ReceivedRequest[] => http.received.filter(isResumption);
  return { ...http, ...openPool(httpServer(http.url, { era: 'legacy', ...part })), resumptions };
}

/** Id of the call, which the response must have on any stream. */
function callOf({ received }: HttpUpstream): number | undefined {
  return received.find((one) => one.message.method === 'tools/call')?.message.id;
}

test('a call whose stream ends after an event with an id is resumed by GET, in its session and from that event', async () => {
  const upstream: Resumable = await before(
    (_asked, response) => stream(response, prime('first'), prime('event 7')),
    [(_asked, response) => stream(response, `id: 8\n${message(textResponse(callOf(upstream), 'at last'))}`)],
  );
  expect(textOf(await upstream.call('poll'))).toBe('at last');
  expect(upstream.called()).toEqual(['poll']);
  expect(upstream.resumptions().map(({ headers }) => headers)).toMatchObject([
    {
      accept: 'text/event-stream',
      'last-event-id': 'event 7',
      'mcp-session-id': 'session-1',
      'mcp-protocol-version': '2025-11-25',
    },
  ]);
});

test('a stream may end any number of times; the next one resumes from the last event', async () => {
  const upstream: Resumable = await before(
    (_asked, response) => stream(response, prime('1')),
    [
      (_asked, response) => stream(response, prime('2')),
      (_asked, response) => stream(response),
      (_asked, response) => stream(response, prime('3')),
      (_asked, response) => stream(response, message(textResponse(callOf(upstream), 'polled'))),
    ],
  );
  expect(textOf(await upstream.call('poll'))).toBe('polled');
  expect(upstream.resumptions().map(({ headers }) => headers['last-event-id'])).toEqual(['1', '2', '2', '3']);
});

test('a stream whose socket breaks is resumed like one that ends', async () => {
  const upstream: Resumable = await before(
    (_asked, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`${prime('1')}\n\n${message({ cut: 'in the' })}`, () => response.destroy());
    },
    [(_asked, response) => stream(response, message(textResponse(callOf(upstream), 'resumed')))],
  );
  expect(textOf(await upstream.call('poll'))).toBe('resumed');
  expect(upstream.called()).toEqual(['poll']);
});

test('notifications on the resumed stream belong to the call and count towards its limit', async () => {
  const received: unknown[] = [];
  const link = {
    wantsProgress: true,
    capabilities: {},
    progress: (params: unknown) => received.push(params) > 0,
    log: () => true,
  };
  const progress = (id: number | undefined, count: number): string =>
    message({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: id ?? null, progress: count },
    });
  const upstream: Resumable = await before(
    ({ message: { id } }, response) => stream(response, `id: 1\nretry: 1\n${progress(id, 1)}`),
    [
      (_asked, response) => {
        const id = callOf(upstream);
        stream(response, progress(id, 2), progress(id, 3), message(textResponse(id, 'done')));
      },
    ],
    { maxNotifications: 2 },
  );
  // `as`: the pool reads only these members of a client context.
  expect(textOf(await upstream.call('poll', {}, { link: link as unknown as ClientContext }))).toBe('done');
  expect(received).toEqual([{ progress: 1 }, { progress: 2 }]);
});

const REFUSALS: Readonly<Record<string, RequestHandler>> = {
  'HTTP 405': (_asked, response) => void response.writeHead(405).end(),
  'HTTP 400': (_asked, response) => sendJson(response, { jsonrpc: '2.0', id: null, error: { code: -32600 } }, 400),
  'HTTP 404': (_asked, response) => void response.writeHead(404).end(),
  'HTTP 500': (_asked, response) => void response.writeHead(500).end(),
  'HTTP 204': (_asked, response) => void response.writeHead(204).end(),
  JSON: (_asked, response) => sendJson(response, textResponse(1, 'x')),
  'a broken socket': (_asked, response) => void response.destroy(),
};

test.each(Object.keys(REFUSALS))(
  'a server that responds to the GET with %s loses the call after one attempt',
  async (refusal) => {
    const upstream = await before((_asked, response) => stream(response, prime('1')), [REFUSALS[refusal] ?? listening]);
    expect(await upstream.call('poll')).toMatchObject({ kind: 'failed', reason: 'upstream-lost', inDoubt: true });
    expect(upstream.resumptions().length).toBe(1);
    expect(upstream.called()).toEqual(['poll']);
  },
);

test('a server whose streams end without events is abandoned after five of them', async () => {
  const nothing: RequestHandler = (_asked, response) => stream(response);
  const upstream = await before(
    (_asked, response) => stream(response, prime('1')),
    Array.from({ length: 9 }, () => nothing),
  );
  expect(await upstream.call('poll')).toMatchObject({ reason: 'upstream-lost', inDoubt: true });
  expect(upstream.resumptions().length).toBe(5);
});

test.each([
  ['without an id', ['retry: 1\ndata: ']],
  ['with an empty id', ['id: 1\ndata: ', 'id\ndata: ']],
  ['with an id that is not a valid header value', ['id: é\ndata: ']],
  ['with an id of 2,000 characters', [`id: ${'x'.repeat(2_000)}\ndata: `]],
])('a call whose stream ends after an event %s is lost', async (_how, events) => {
  const upstream = await before((_asked, response) => stream(response, ...events), []);
  expect(await upstream.call('poll')).toMatchObject({ reason: 'upstream-lost', inDoubt: true });
  expect(upstream.resumptions()).toEqual([]);
});

test('the deadline of the call ends the wait for the next stream', async () => {
  const upstream = await before((_asked, response) => stream(response, prime('1', 'retry: 60000\n')), []);
  expect(await upstream.call('poll', {}, { timeoutMs: 150 })).toMatchObject({
    reason: 'upstream-timeout',
    inDoubt: true,
  });
  await until(() => upstream.received.some((one) => one.message.method === 'notifications/cancelled'));
  expect(upstream.resumptions()).toEqual([]);
});

test('the deadline of the call ends the resumed stream and closes its socket', async () => {
  let isClosed = false;
  const upstream = await before(
    (_asked, response) => stream(response, prime('1')),
    [
      (_asked, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        response.on('close', () => (isClosed = true));
      },
    ],
  );
  expect(await upstream.call('poll', {}, { timeoutMs: 500 })).toMatchObject({ reason: 'upstream-timeout' });
  await until(() => isClosed);
});

test.each(['while it waits', 'while the stream is open'])(
  'an agent that disconnects %s ends the call',
  async (when) => {
    const agent = new AbortController();
    let isClosed = when === 'while it waits';
    const retry = when === 'while it waits' ? 'retry: 60000\n' : 'retry: 1\n';
    const upstream = await before(
      (_asked, response) => {
        stream(response, prime('1', retry));
        if (when === 'while it waits') response.on('close', () => setTimeout(() => agent.abort(), 50));
      },
      [
        (_asked, response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
          response.on('close', () => (isClosed = true));
          agent.abort();
        },
      ],
    );
    expect(await upstream.call('poll', {}, { signal: agent.signal })).toMatchObject({
      reason: 'cancelled',
      inDoubt: true,
    });
    await until(() => isClosed && upstream.received.some((one) => one.message.method === 'notifications/cancelled'));
  },
);

test.each(['waits for the next stream', 'is on the next stream'])(
  'a call that %s is lost when the broker ends the session',
  async (when) => {
    const retry = when === 'waits for the next stream' ? 'retry: 60000\n' : 'retry: 1\n';
    let isSo = false;
    const upstream = await before(
      (_asked, response) => {
        response.on('close', () => (isSo = retry === 'retry: 60000\n'));
        stream(response, prime('1', retry));
      },
      [
        (_asked, response) => {
          isSo = true;
          response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        },
      ],
    );
    const called = upstream.call('poll');
    await until(() => isSo);
    await upstream.pool.close();
    expect(await called).toMatchObject({ reason: 'upstream-lost', inDoubt: true });
  },
);

test('the limit of a call covers the bytes of all its streams', async () => {
  const question = (): string =>
    message({ jsonrpc: '2.0', id: 'q', method: 'ping', params: { pad: 'x'.repeat(90_000) } });
  const more: RequestHandler = (_asked, response) =>
    stream(response, `id: 2\nretry: 1\n${question()}`, question(), question());
  const upstream = await before(
    more,
    Array.from({ length: 20 }, () => more),
  );
  expect(await upstream.call('poll', {}, { maxResultBytes: 100_000 })).toMatchObject({ reason: 'result-too-large' });
  expect(upstream.resumptions().length).toBeLessThan(6);
});

test('an event over the limit on the resumed stream fails the call', async () => {
  const upstream: Resumable = await before(
    (_asked, response) => stream(response, prime('1')),
    [(_asked, response) => stream(response, message(textResponse(callOf(upstream), 'x'.repeat(200_000))))],
  );
  expect(await upstream.call('poll', {}, { maxResultBytes: 100_000 })).toMatchObject({ reason: 'result-too-large' });
});

test('a read is sent again if the server cannot resume it', async () => {
  let called = 0;
  const upstream = await before(
    ({ message: { id } }, response) => {
      called += 1;
      if (called === 1) stream(response, prime('1'));
      else sendJson(response, textResponse(id, 'the second time'));
    },
    [listening],
  );
  expect(textOf(await upstream.call('poll', {}, { risk: 'read' }))).toBe('the second time');
});

test('a call of the modern era is never resumed', async () => {
  const declared = { name: 'poll', description: 'a tool', inputSchema: { type: 'object' } };
  const upstream = await serveHttp(({ message: { id, method } }, response) => {
    const discovered = { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } };
    if (method === 'tools/call') stream(response, prime('1'));
    else
      sendJson(response, { jsonrpc: '2.0', id, result: method === 'tools/list' ? { tools: [declared] } : discovered });
  });
  const { call } = openPool(httpServer(upstream.url, { era: 'modern' }));
  expect(await call('poll')).toMatchObject({ reason: 'upstream-lost', inDoubt: true });
  expect(upstream.received.filter(({ method }) => method === 'GET')).toEqual([]);
});
