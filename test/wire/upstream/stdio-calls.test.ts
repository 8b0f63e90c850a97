import { expect, test } from 'vitest';
import { scaled } from '../../fixtures/scale.ts';
import { isAlive, openJournal, openPool, stdioServer, textOf, until } from '../../fixtures/upstream-pool.ts';

test('a result comes back verbatim, with any unusual content', async () => {
  const { call } = openPool(stdioServer());
  expect(await call('odd')).toEqual({
    kind: 'completed',
    result: { content: [{ type: 'hologram', 'x-vendor': [1] }], structuredContent: [3], 'x-more': { a: null } },
    resultBytes: 126,
  });
});

test('an error of the tool server comes back verbatim and leaves nothing in doubt', async () => {
  const { call } = openPool(stdioServer());
  expect(await call('fail')).toEqual({
    kind: 'failed',
    reason: 'upstream-error',
    message: 'the server answered with an error',
    inDoubt: false,
    error: { code: -32050, message: 'no such thing', data: { which: 7 } },
  });
});

test('200 calls at once with shuffled replies are never mixed', async () => {
  const { call } = openPool(stdioServer());
  const nonces = Array.from({ length: 200 }, (_, index) => `nonce-${index}`);
  const replies = await Promise.all(nonces.map((text, index) => call('delay', { text, ms: (index * 37) % 60 })));
  expect(replies.map(textOf)).toEqual(nonces);
});

test('each principal has a process of its own', async () => {
  const { call } = openPool(stdioServer());
  const [ana, ben] = await Promise.all([call('pid', {}, { as: 'ana' }), call('pid', {}, { as: 'ben' })]);
  expect(textOf(ana)).not.toBe(textOf(ben));
});

test('with sharing for all, principals share one process', async () => {
  const { call } = openPool(stdioServer({}, { sharing: 'all' }));
  const [ana, ben] = await Promise.all([call('pid', {}, { as: 'ana' }), call('pid', {}, { as: 'ben' })]);
  expect(textOf(ana)).toBe(textOf(ben));
});

test('a call that hangs times out alone, is cancelled at the server, and stays in doubt', async () => {
  const journal = openJournal();
  const { call } = openPool(stdioServer({ journal: journal.path }));
  const hung = call('hang', {}, { timeoutMs: 100 });
  expect(textOf(await call('echo', { text: 'alive' }))).toBe('alive');
  expect(await hung).toMatchObject({ kind: 'failed', reason: 'upstream-timeout', inDoubt: true });
  await call('echo', { text: 'still' });
  expect(journal.lines()).toContain('notifications/cancelled timeout');
});

test('a stopped process fails only its own calls, and responds again when it continues', async () => {
  const { call } = openPool(stdioServer());
  const stopped = Number(textOf(await call('pid', {}, { as: 'ana' })));
  process.kill(stopped, 'SIGSTOP');
  const hung = call('echo', { text: 'x' }, { as: 'ana', timeoutMs: 200 });
  expect(textOf(await call('echo', { text: 'y' }, { as: 'ben' }))).toBe('y');
  expect(await hung).toMatchObject({ reason: 'upstream-timeout', inDoubt: true });
  process.kill(stopped, 'SIGCONT');
  expect(textOf(await call('pid', {}, { as: 'ana' }))).toBe(String(stopped));
});

test('a cancelled call is cancelled at the server too', async () => {
  const journal = openJournal();
  const { call } = openPool(stdioServer({ journal: journal.path }));
  const agent = new AbortController();
  const hung = call('hang', {}, { signal: agent.signal });
  await until(() => journal.lines().includes('call hang'));
  agent.abort();
  expect(await hung).toMatchObject({ reason: 'cancelled', inDoubt: true });
  await call('echo', { text: 'x' });
  expect(journal.lines()).toContain('notifications/cancelled cancelled');
});

test('a call that is cancelled before it is sent never reaches the server', async () => {
  const journal = openJournal();
  const { call } = openPool(stdioServer({ journal: journal.path }));
  expect(await call('echo', {}, { signal: AbortSignal.abort() })).toMatchObject({
    reason: 'cancelled',
    inDoubt: false,
  });
  expect(journal.lines()).toEqual([]);
});

test.each([
  ['garbage', 'upstream-protocol'],
  ['no_version', 'upstream-protocol'],
  ['two_members', 'upstream-protocol'],
])('a response that is not MCP (%s) fails that call alone', async (tool, reason) => {
  const { call } = openPool(stdioServer());
  const beside = call('delay', { text: 'unharmed', ms: 50 });
  expect(await call(tool)).toMatchObject({ kind: 'failed', reason, inDoubt: true });
  expect(textOf(await beside)).toBe('unharmed');
});

test('a response with an unknown id is dropped and counted', async () => {
  const { call, pool } = openPool(stdioServer());
  expect(await call('wrong_id', {}, { timeoutMs: 100 })).toMatchObject({ reason: 'upstream-timeout' });
  expect(pool.status()).toMatchObject([{ droppedMessages: 1 }]);
});

test('of two responses the first counts and the second is dropped', async () => {
  const { call, pool } = openPool(stdioServer());
  expect(textOf(await call('twice'))).toBe('first');
  expect(textOf(await call('echo', { text: 'next' }))).toBe('next');
  expect(pool.status()).toMatchObject([{ droppedMessages: 1 }]);
});

test('a flood of notifications does not block the response', async () => {
  const { call } = openPool(stdioServer());
  expect(textOf(await call('flood', { messages: scaled({ small: 100_000, full: 1_000_000 }) }))).toBe('flooded');
});

test('a result over the limit of its tool is withheld', async () => {
  const { call } = openPool(stdioServer());
  expect(await call('big', { bytes: 5_000 }, { maxResultBytes: 4_000 })).toMatchObject({
    reason: 'result-too-large',
    inDoubt: true,
  });
});

test('a line of 50 MB is never kept in memory, and fails its own call alone', async () => {
  const { call } = openPool(stdioServer());
  const beside = call('delay', { text: 'unharmed', ms: 1 });
  const [big, small] = await Promise.all([call('big', { bytes: 50 * 1024 * 1024 }), beside]);
  expect(big).toMatchObject({ reason: 'result-too-large' });
  expect(textOf(small)).toBe('unharmed');
});

test('an endless line ends the process, not the broker', async () => {
  const { call } = openPool(stdioServer());
  const pid = Number(textOf(await call('pid')));
  expect(await call('endless')).toMatchObject({ reason: 'upstream-lost', inDoubt: true });
  await until(() => !isAlive(pid));
  expect(textOf(await call('echo', { text: 'anew' }))).toBe('anew');
});

test('a ping of the server is answered; any other request gets "method not found"', async () => {
  const { call } = openPool(stdioServer());
  expect(textOf(await call('ask'))).toBe('ping answered, roots/list -32601');
});
