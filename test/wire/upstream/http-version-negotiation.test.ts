import { expect, test } from 'vitest';
import { inMemoryVersionStore } from '../../../src/upstream/protocol/versions.ts';
import {
  legacyHandler,
  openEvents,
  type RequestHandler,
  sendJson,
  serveHttp,
  textResponse,
} from '../../fixtures/http-upstream.ts';
import { httpServer, openPool, textOf, until } from '../../fixtures/upstream-pool.ts';

const echo: RequestHandler = ({ message }, response) => sendJson(response, textResponse(message.id, 'echoed'));

/** A server of 2026-07-28 without `initialize`. */
const modern: RequestHandler = (asked, response) => {
  const { id, method } = asked.message;
  const reply = (result: object): void =>
    sendJson(response, { jsonrpc: '2.0', id, result: { resultType: 'complete', ...result } });
  const tools = ['echo', 'weather', 'ask'].map((name) => ({
    name,
    description: 'a tool',
    inputSchema: { type: 'object' },
  }));
  if (method === 'server/discover') reply({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} } });
  else if (method === 'tools/list') reply({ tools, ttlMs: 0, cacheScope: 'private' });
  else if (method !== 'tools/call')
    sendJson(response, { jsonrpc: '2.0', id, error: { code: -32601, message: 'no' } }, 404);
  else if (asked.message.params.name === 'ask')
    sendJson(response, { jsonrpc: '2.0', id, result: { resultType: 'input_required', inputRequests: {} } });
  else reply({ content: [{ type: 'text', text: 'echoed' }] });
};

test('a modern server is detected by `server/discover` alone and called without a session', async () => {
  const http = await serveHttp(modern);
  const eraMemory = inMemoryVersionStore();
  const { call } = openPool(httpServer(http.url), { eraMemory });
  expect(textOf(await call('echo'))).toBe('echoed');
  expect(http.received.map(({ message }) => message.method)).toEqual(['server/discover', 'tools/list', 'tools/call']);
  expect(eraMemory.get('srv')).toMatchObject({ era: 'modern', protocolVersion: '2026-07-28' });
});

test('a modern request carries its envelope and matching headers', async () => {
  const http = await serveHttp(modern);
  const { call } = openPool(httpServer(http.url));
  await call('echo', { a: 1 });
  const { message, headers } = http.received[2] ?? { message: undefined, headers: {} as Record<string, string> };
  expect(message?.params).toEqual({
    name: 'echo',
    arguments: { a: 1 },
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'seneschal', version: '0.0.0' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  });
  expect(headers).toMatchObject({
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'echo',
  });
  expect(headers['mcp-session-id']).toBeUndefined();
});

test('arguments with `x-mcp-header` are sent in headers too, encoded if needed', async () => {
  const inputSchema = {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      place: { type: 'object', properties: { city: { type: 'string', 'x-mcp-header': 'City' } } },
    },
  };
  const definition = { name: 'weather', description: 'a tool', inputSchema };
  const http = await serveHttp((asked, response) => {
    if (asked.message.method !== 'tools/list') modern(asked, response);
    else
      sendJson(response, {
        jsonrpc: '2.0',
        id: asked.message.id,
        result: { resultType: 'complete', tools: [definition] },
      });
  });
  const { call } = openPool(httpServer(http.url));
  await call('weather', { region: 'eu', place: { city: 'Köln' } }, { definition });
  const mirrored = Object.entries(http.received[2]?.headers ?? {}).filter(([name]) => name.startsWith('mcp-param'));
  expect(Object.fromEntries(mirrored)).toEqual({ 'mcp-param-region': 'eu', 'mcp-param-city': '=?base64?S8O2bG4=?=' });
});

test('a modern server that needs input without a client that can give it has not completed', async () => {
  const http = await serveHttp(modern);
  const { call } = openPool(httpServer(http.url));
  expect(await call('ask')).toMatchObject({ kind: 'failed', reason: 'upstream-protocol' });
});

test('a legacy server is detected by its response to `server/discover`', async () => {
  const http = await serveHttp(legacyHandler({ echo }));
  const { pool } = openPool(httpServer(http.url));
  expect(await pool.discover('srv')).toMatchObject({ era: 'legacy', protocolVersion: '2025-11-25' });
});

test('a legacy server that responds with 404 to a request without a session is detected too', async () => {
  const http = await serveHttp(legacyHandler({ echo }, () => 'one'));
  const { pool } = openPool(httpServer(http.url));
  expect(await pool.discover('srv')).toMatchObject({ era: 'legacy' });
});

test.each([401, 403, 500, 503])(
  'HTTP %i is no evidence of an era: nothing is remembered and `initialize` is not tried',
  async (status) => {
    const http = await serveHttp((_asked, response) => void response.writeHead(status).end());
    const eraMemory = inMemoryVersionStore();
    const { pool } = openPool(httpServer(http.url), { eraMemory });
    expect(await pool.discover('srv')).toEqual({
      error: `\`server/discover\` failed: the server responded with HTTP ${status}`,
    });
    expect(eraMemory.get('srv')).toBeUndefined();
    expect(http.received.map(({ message }) => message.method)).toEqual(['server/discover']);
  },
);

test('a server that became modern is detected when the remembered era fails', async () => {
  const eraMemory = inMemoryVersionStore();
  let answering: RequestHandler = legacyHandler({ echo }, () => 'one');
  const http = await serveHttp((asked, response) => answering(asked, response));
  const { call } = openPool(httpServer(http.url), { eraMemory });
  await call('echo');
  answering = (asked, response) => {
    if (asked.headers['mcp-protocol-version'] === '2026-07-28') return modern(asked, response);
    sendJson(response, { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'no envelope' } }, 400);
  };
  expect(textOf(await call('echo', {}, { risk: 'read' }))).toBe('echoed');
  expect(eraMemory.get('srv')?.era).toBe('modern');
});

test.each([404, 400])('a read opens a new session if the server forgot the old one (HTTP %i)', async (status) => {
  let session = 'first';
  const answering = legacyHandler({ echo }, () => session);
  const http = await serveHttp((asked, response) => {
    const stale = asked.message.method !== 'initialize' && asked.headers['mcp-session-id'] !== session;
    if (stale)
      sendJson(response, { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'no valid session' } }, status);
    else answering(asked, response);
  });
  const { call } = openPool(httpServer(http.url, { era: 'legacy' }));
  await call('echo');
  session = 'second';
  expect(textOf(await call('echo', {}, { risk: 'read' }))).toBe('echoed');
});

test.each([404, 400])(
  'a write in a forgotten session (HTTP %i) is in doubt, and the next one gets a new session',
  async (status) => {
    let session = 'first';
    const answering = legacyHandler({ echo }, () => session);
    const http = await serveHttp((asked, response) => {
      const stale = asked.message.method !== 'initialize' && asked.headers['mcp-session-id'] !== session;
      if (stale) sendJson(response, { error: 'no valid session' }, status);
      else answering(asked, response);
    });
    const { call } = openPool(httpServer(http.url, { era: 'legacy' }));
    await call('echo');
    session = 'second';
    expect(await call('echo', {}, { risk: 'write' })).toMatchObject({ reason: 'upstream-lost', inDoubt: true });
    expect(textOf(await call('echo', {}, { risk: 'write' }))).toBe('echoed');
  },
);

test('many reads in a forgotten session open one new session together', async () => {
  let session = 'first';
  const http = await serveHttp(legacyHandler({ echo }, () => session));
  const { call } = openPool(httpServer(http.url, { era: 'legacy' }));
  await call('echo');
  session = 'second';
  const replies = await Promise.all(Array.from({ length: 20 }, () => call('echo', {}, { risk: 'read' })));
  expect(new Set(replies.map(textOf))).toEqual(new Set(['echoed']));
  expect(http.received.filter(({ message }) => message.method === 'initialize')).toHaveLength(2);
});

test('a server that forgets every session is abandoned after one new session', async () => {
  let opened = 0;
  const answering = legacyHandler({ echo }, () => `s${opened}`);
  const http = await serveHttp((asked, response) => {
    if (asked.message.method === 'initialize') opened += 1;
    if (asked.message.method === 'tools/call') response.writeHead(404).end();
    else answering(asked, response);
  });
  const { call } = openPool(httpServer(http.url, { era: 'legacy' }));
  expect(await call('echo', {}, { risk: 'read' })).toMatchObject({ reason: 'upstream-lost' });
  expect(opened).toBe(2);
});

test('each principal has its own session at a legacy server', async () => {
  let opened = 0;
  const sessions = new Map<string, string>();
  const http = await serveHttp((asked, response) => {
    const { id, method, params } = asked.message;
    const session = String(asked.headers['mcp-session-id']);
    if (method === 'tools/call') sessions.set(JSON.stringify(params.arguments?.who), session);
    if (method === 'initialize') opened += 1;
    legacyHandler({ echo }, () => (method === 'initialize' ? `s${opened}` : session))(
      { ...asked, message: { ...asked.message, ...(id === undefined ? {} : { id }) } },
      response,
    );
  });
  const { call } = openPool(httpServer(http.url, { era: 'legacy' }));
  await call('echo', { who: 'ana' }, { as: 'ana' });
  await call('echo', { who: 'ben' }, { as: 'ben' });
  expect([...sessions.entries()]).toEqual([
    ['"ana"', 's1'],
    ['"ben"', 's2'],
  ]);
});

test('a session that the broker closes is deleted at the server', async () => {
  const http = await serveHttp(legacyHandler({ echo }, () => 'one'));
  const { pool, call } = openPool(httpServer(http.url, { era: 'legacy' }));
  await call('echo');
  await pool.close();
  expect(http.received.at(-1)).toMatchObject({ method: 'DELETE', headers: { 'mcp-session-id': 'one' } });
});

test('`list_changed` on the stream of a call makes the broker list again', async () => {
  const tools: Record<string, RequestHandler> = {
    echo: ({ message }, response) => {
      tools.added = echo;
      const send = openEvents(response);
      send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
      send(textResponse(message.id, 'done'));
      response.end();
    },
  };
  const http = await serveHttp((asked, response) => legacyHandler(tools)(asked, response));
  const { pool, call, changes } = openPool(httpServer(http.url, { era: 'legacy' }));
  await pool.discover('srv');
  await call('echo');
  await until(() => changes.length === 1);
  expect(changes[0]).toMatchObject({ tools: [{ name: 'echo' }, { name: 'added' }] });
});

test.each([
  [404, -32_601],
  [400, -32_000],
  [400, -32_001],
])('a read is sent in a new session after a response with HTTP %d and error %d', async (status, code) => {
  let session = 's-1';
  const answering = legacyHandler(
    { echo: ({ message }, response) => sendJson(response, textResponse(message.id, 'here')) },
    () => session,
  );
  const http = await serveHttp((asked, response) => {
    const sent = asked.headers['mcp-session-id'];
    if (sent === undefined || sent === session) return answering(asked, response);
    sendJson(response, { jsonrpc: '2.0', id: asked.message.id, error: { code, message: 'no session' } }, status);
  });
  const { call } = openPool(httpServer(http.url, { era: 'legacy' }));
  await call('echo', {}, { risk: 'read' });
  session = 's-2';
  expect(textOf(await call('echo', {}, { risk: 'read' }))).toBe('here');
  session = 's-3';
  expect(await call('echo', {}, { risk: 'write' })).toMatchObject({ reason: 'upstream-lost' });
});

test('a read whose connection breaks and whose session is then lost still succeeds', async () => {
  let session = 's-1';
  let broken = 0;
  const answering = legacyHandler(
    { echo: ({ message }, response) => sendJson(response, textResponse(message.id, 'here')) },
    () => session,
  );
  const http = await serveHttp((asked, response) => {
    if (asked.message.method !== 'tools/call' || session === 's-1' || broken > 0) return answering(asked, response);
    broken += 1;
    response.destroy();
  });
  const { call } = openPool(httpServer(http.url, { era: 'legacy' }));
  await call('echo', {}, { risk: 'read' });
  session = 's-2';
  expect(textOf(await call('echo', {}, { risk: 'read' }))).toBe('here');
});
