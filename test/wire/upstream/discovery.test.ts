import { expect, test } from 'vitest';
import { inMemoryVersionStore } from '../../../src/upstream/protocol/versions.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { legacyHandler, sendJson, serveHttp } from '../../fixtures/http-upstream.ts';
import {
  httpServer,
  isAlive,
  movableClock,
  openJournal,
  openPool,
  stdioServer,
  stillClock,
  textOf,
  until,
} from '../../fixtures/upstream-pool.ts';

const startsIn = (lines: readonly string[]): number => lines.filter((line) => line.startsWith('start')).length;

test('every page of the tools is listed, verbatim and in order', async () => {
  const tools = Array.from({ length: 25 }, (_, index) => `t${index}`);
  const { pool } = openPool(stdioServer({ tools, page: 10 }));
  const observed = await pool.discover('srv');
  expect(observed).toMatchObject({ era: 'legacy', protocolVersion: '2025-11-25' });
  expect('tools' in observed && observed.tools).toEqual(
    tools.map((name) => ({ name, description: 'a tool', inputSchema: { type: 'object' } })),
  );
});

verifies('F11')('no page is read beyond the limit of tools', async () => {
  const tools = Array.from({ length: 10_000 }, (_, index) => `t${index}`);
  const { pool } = openPool(stdioServer({ tools, page: 1_000 }, { maxTools: 2_500 }));
  const observed = await pool.discover('srv');
  expect('tools' in observed && observed.tools.length).toBe(2_501);
});

verifies('F11')('a server with endless pages has no list', async () => {
  const tools = Array.from({ length: 300 }, (_, index) => `t${index}`);
  const { pool } = openPool(stdioServer({ tools, page: 1 }));
  expect(await pool.discover('srv')).toEqual({ error: '`tools/list` has more than 200 pages' });
});

test('a session that was opened for discovery only is closed at once', async () => {
  const journal = openJournal();
  const { pool } = openPool(stdioServer({ journal: journal.path }));
  await pool.discover('srv');
  await until(() => !isAlive(Number(journal.lines()[0]?.split(' ')[1])));
});

test('a shared session is used for discovery and then for calls', async () => {
  const journal = openJournal();
  const { pool, call, changes } = openPool(stdioServer({ journal: journal.path }, { sharing: 'all' }));
  await pool.discover('srv');
  await call('echo', { text: 'x' });
  expect(startsIn(journal.lines())).toBe(1);
  expect(changes).toEqual([]);
});

verifies('F11')('a change that the server announces is listed again and reported', async () => {
  const { pool, call, nextChange } = openPool(stdioServer());
  await pool.discover('srv');
  const change = nextChange();
  await call('change');
  expect(await change).toMatchObject({
    tools: expect.arrayContaining([expect.objectContaining({ name: 'echo', description: 'a tool, changed' })]),
  });
});

test('a tool that differs from its pin is not called, in this session or a new one', async () => {
  const journal = openJournal();
  const { call } = openPool(stdioServer({ journal: journal.path }));
  await call('echo', { text: 'x' });
  const agreed = { name: 'echo', description: 'what was agreed to', inputSchema: { type: 'object' } };
  expect(await call('echo', { text: 'y' }, { definition: agreed })).toEqual({
    kind: 'failed',
    reason: 'tool-drifted',
    message: 'the tool is no longer what was agreed to',
    inDoubt: false,
  });
  expect(journal.lines().filter((line) => line.startsWith('call '))).toHaveLength(1);
});

test('a tool that changed in one session only is called in a new one', async () => {
  const journal = openJournal();
  const { call, nextChange } = openPool(stdioServer({ journal: journal.path }));
  const first = nextChange();
  await call('echo', { text: 'x' });
  await first;
  const change = nextChange();
  await call('change');
  await change;
  expect(textOf(await call('echo', { text: 'x' }))).toBe('x');
  expect(startsIn(journal.lines())).toBe(2);
});

test('a new session that lists the same tools reports no change', async () => {
  const { pool, call, changes } = openPool(stdioServer());
  await pool.discover('srv');
  await call('echo', { text: 'x' }, { as: 'ana' });
  await call('echo', { text: 'x' }, { as: 'ben' });
  expect(changes).toEqual([]);
});

test('a modern server over stdio is detected with one process and remembered with a date', async () => {
  const journal = openJournal();
  const eraMemory = inMemoryVersionStore();
  const clock = movableClock();
  const { pool, call } = openPool(
    stdioServer({ era: 'modern', journal: journal.path }, { era: 'auto', sharing: 'all' }),
    {
      eraMemory,
      clock,
    },
  );
  expect(await pool.discover('srv')).toMatchObject({ era: 'modern', protocolVersion: '2026-07-28' });
  expect(textOf(await call('echo', { text: 'x' }))).toBe('x');
  expect(startsIn(journal.lines())).toBe(1);
  expect(eraMemory.get('srv')).toMatchObject({
    era: 'modern',
    protocolVersion: '2026-07-28',
    atMs: expect.any(Number),
  });
});

test('a legacy server over stdio is detected with one process', async () => {
  const journal = openJournal();
  const { pool } = openPool(stdioServer({ journal: journal.path }, { era: 'auto' }));
  expect(await pool.discover('srv')).toMatchObject({ era: 'legacy' });
  expect(startsIn(journal.lines())).toBe(1);
});

test('a server that does not respond to `server/discover` is legacy', async () => {
  const { pool } = openPool(stdioServer({ era: 'silent' }, { era: 'auto' }));
  expect(await pool.discover('srv')).toMatchObject({ era: 'legacy' });
});

test('a server that exits on a request before `initialize` is started again without discovery', async () => {
  const journal = openJournal();
  const { pool } = openPool(stdioServer({ era: 'exits', journal: journal.path }, { era: 'auto' }));
  expect(await pool.discover('srv')).toMatchObject({ era: 'legacy' });
  expect(startsIn(journal.lines())).toBe(2);
});

test('a remembered era is not detected again', async () => {
  const journal = openJournal();
  const eraMemory = inMemoryVersionStore();
  eraMemory.set('srv', { era: 'legacy', protocolVersion: '2025-11-25', atMs: 1 });
  const { pool } = openPool(stdioServer({ era: 'exits', journal: journal.path }, { era: 'auto' }), { eraMemory });
  await pool.discover('srv');
  expect(startsIn(journal.lines())).toBe(1);
});

test('a remembered era that the server contradicts is detected again', async () => {
  const eraMemory = inMemoryVersionStore();
  eraMemory.set('srv', { era: 'legacy', protocolVersion: '2025-11-25', atMs: 1 });
  const { pool } = openPool(stdioServer({ era: 'modern' }, { era: 'auto' }), { eraMemory });
  expect(await pool.discover('srv')).toMatchObject({ era: 'modern' });
  expect(eraMemory.get('srv')?.era).toBe('modern');
});

test.each(['2025-06-18', '2025-03-26', '2024-11-05'])('a server over stdio may offer %s', async (version) => {
  const { pool } = openPool(stdioServer({ version }));
  expect(await pool.discover('srv')).toMatchObject({ protocolVersion: version });
});

test('a server that offers a revision unknown to the broker is not used', async () => {
  const { pool } = openPool(stdioServer({ version: '1999-01-01' }));
  expect(await pool.discover('srv')).toEqual({
    error: 'the server offers no protocol revision that the broker supports',
  });
});

test('the tools of a modern server are listed again once a minute while it is in use', async () => {
  const clock = movableClock();
  const { pool, call, nextChange } = openPool(stdioServer({ era: 'modern' }, { era: 'modern', sharing: 'all' }), {
    clock,
  });
  await pool.discover('srv');
  const change = nextChange();
  await call('change_silently');
  clock.advance(61_000);
  expect(await change).toMatchObject({
    tools: expect.arrayContaining([expect.objectContaining({ description: 'changed' })]),
  });
});

test('a server that can no longer list has no list, not the previous one', async () => {
  let isBroken = false;
  const answering = legacyHandler({});
  const http = await serveHttp((asked, response) => {
    const { id, method } = asked.message;
    if (!isBroken || method !== 'tools/list') return answering(asked, response);
    sendJson(response, { jsonrpc: '2.0', id, error: { code: -32603, message: 'out of order' } });
  });
  const { pool } = openPool(httpServer(http.url, { era: 'legacy', sharing: 'all' }));
  expect(await pool.discover('srv')).toMatchObject({ tools: [] });
  isBroken = true;
  expect(await pool.discover('srv')).toEqual({ error: 'the server responded to `tools/list` with error -32603' });
});

test.each([400, 404])('a server that forgot the session (HTTP %d) is listed again in a new one', async (status) => {
  let session = 's-1';
  const answering = legacyHandler({ echo: () => {} }, () => session);
  const http = await serveHttp((asked, response) => {
    const sent = asked.headers['mcp-session-id'];
    if (sent !== undefined && sent !== session) response.writeHead(status).end();
    else answering(asked, response);
  });
  const { pool, changes } = openPool(httpServer(http.url, { era: 'legacy', sharing: 'all' }));
  await pool.discover('srv');
  session = 's-2';
  expect(await pool.discover('srv')).toMatchObject({ tools: [{ name: 'echo' }] });
  expect(changes).toEqual([]);
});

test('a server that floods `list_changed` is still listed', async () => {
  const { pool, call } = openPool(stdioServer({}, { sharing: 'all' }));
  await pool.discover('srv');
  const changing = Promise.all(Array.from({ length: 50 }, () => call('change')));
  expect(await pool.discover('srv')).toMatchObject({ era: 'legacy' });
  await changing;
});

test('the status shows the last error, the failures and since when, until something succeeds', async () => {
  const clock = stillClock();
  const { pool, call } = openPool(stdioServer(), { clock });
  await call('echo', { text: 'x' });
  expect(pool.status()).toMatchObject([{ state: 'ready', starts: 1, failures: 0, breaker: 'closed' }]);
  clock.advance(1_000);
  await call('exit');
  clock.advance(1_000);
  expect(pool.status()).toMatchObject([
    { state: 'failed', error: 'the process ended (exit code 4)', failingSinceMs: 1_000, failures: 1, sessions: 0 },
  ]);
  await call('echo', { text: 'x' });
  const [status] = pool.status();
  expect(status).toMatchObject({ state: 'ready', starts: 2, failures: 1, sessions: 1 });
  expect(status).not.toHaveProperty('error');
});
