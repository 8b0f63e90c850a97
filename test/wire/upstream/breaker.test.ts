import { expect, test } from 'vitest';
import { Breaker, healthSignalOf } from '../../../src/upstream/call/breaker.ts';
import { failedResponse } from '../../../src/upstream/protocol/transport.ts';
import { legacyHandler, type RequestHandler, sendJson, serveHttp, textResponse } from '../../fixtures/http-upstream.ts';
import { httpServer, openPool, stdioServer, stillClock, textOf } from '../../fixtures/upstream-pool.ts';

function tripped(): { readonly breaker: Breaker; readonly advance: (ms: number) => void; readonly states: string[] } {
  const clock = stillClock();
  const states: string[] = [];
  const breaker = new Breaker(clock, (state) => states.push(state));
  for (let call = 0; call < 5; call += 1) breaker.record('failing');
  return { breaker, advance: clock.advance, states };
}

test('five failures in ten responses open the breaker, fewer do not', () => {
  const breaker = new Breaker(stillClock(), () => {});
  for (const evidence of ['failing', 'alive', 'failing', 'none', 'alive', 'failing', 'alive', 'failing'] as const) {
    breaker.record(evidence);
  }
  expect(breaker.state).toBe('closed');
  breaker.record('failing');
  expect(breaker.state).toBe('open');
});

test('failures more than ten responses ago are forgotten', () => {
  const breaker = new Breaker(stillClock(), () => {});
  for (let round = 0; round < 20; round += 1) {
    for (let call = 0; call < 4; call += 1) breaker.record('failing');
    for (let call = 0; call < 10; call += 1) breaker.record('alive');
  }
  expect(breaker.state).toBe('closed');
});

test('an open breaker lets one trial call through after half a second, and its response decides', () => {
  const { breaker, advance, states } = tripped();
  expect(breaker.acquireTrial()).toBe(500);
  advance(500);
  expect([breaker.acquireTrial(), breaker.acquireTrial()]).toEqual([0, 500]);
  breaker.record('failing');
  expect(breaker.state).toBe('open');
  advance(500);
  expect(breaker.acquireTrial()).toBe(0);
  breaker.record('alive');
  expect(states).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
});

test('after a trial without evidence the next call is the trial', () => {
  const { breaker, advance } = tripped();
  advance(500);
  expect(breaker.acquireTrial()).toBe(0);
  breaker.record('none');
  breaker.endTrial();
  expect([breaker.state, breaker.acquireTrial()]).toEqual(['open', 0]);
});

test.each([
  ['no connection', failedResponse('unavailable', false, ''), 'failing'],
  ['HTTP 503', { ...failedResponse('refused', true, ''), status: 503 }, 'failing'],
  ['HTTP 429', { ...failedResponse('refused', true, ''), status: 429 }, 'none'],
  ['HTTP 401', { ...failedResponse('refused', true, ''), status: 401 }, 'none'],
  ['a broken connection', failedResponse('lost', true, ''), 'failing'],
  ['a timeout while no call got a response', failedResponse('timeout', true, ''), 'failing'],
  ['an agent that disconnected', failedResponse('cancelled', true, ''), 'none'],
  ['a result that is too large', failedResponse('too-large', true, ''), 'none'],
  ['an error of the tool', { kind: 'error', error: { code: 1, message: '' } }, 'alive'],
  ['an error with HTTP 500', { kind: 'error', error: { code: 1, message: '' }, status: 500 }, 'failing'],
] as const)('%s is evidence: %#', (_what, answer, evidence) => {
  expect(healthSignalOf(answer, true)).toBe(evidence);
});

test('a timeout while other calls get responses is evidence about the tool and not the server', () => {
  expect(healthSignalOf(failedResponse('timeout', true, ''), false)).toBe('none');
});

const out: RequestHandler = (_asked, response) =>
  void response.writeHead(502, { 'content-type': 'text/plain' }).end('x');
const echo: RequestHandler = ({ message }, response) => sendJson(response, textResponse(message.id, 'here'));

test('while a breaker is open a call fails at once, is not sent, and says when to try again', async () => {
  const http = await serveHttp(legacyHandler({ out, echo }));
  const { call, pool } = openPool(httpServer(http.url, { era: 'legacy' }), { clock: stillClock() });
  for (let round = 0; round < 5; round += 1) await call('out');
  expect(pool.status()).toMatchObject([{ breaker: 'open' }]);
  expect(await call('echo', {}, { as: 'ben' })).toEqual({
    kind: 'failed',
    reason: 'upstream-unavailable',
    message: '`srv` failed repeatedly; nothing is sent to it for a moment',
    inDoubt: false,
    retryAfterMs: 500,
  });
  expect(http.called()).toEqual(['out', 'out', 'out', 'out', 'out']);
});

test('a server that responds again is in service again after the first trial call', async () => {
  const clock = stillClock();
  const http = await serveHttp(legacyHandler({ out, echo }));
  const { call, pool } = openPool(httpServer(http.url, { era: 'legacy' }), { clock });
  for (let round = 0; round < 5; round += 1) await call('out');
  clock.advance(500);
  expect(textOf(await call('echo'))).toBe('here');
  expect(textOf(await call('echo'))).toBe('here');
  expect(pool.status()).toMatchObject([{ breaker: 'closed' }]);
});

test('a call that was cancelled before it is sent takes no trial of an open breaker', async () => {
  const clock = stillClock();
  const http = await serveHttp(legacyHandler({ out, echo }));
  const { call } = openPool(httpServer(http.url, { era: 'legacy' }), { clock });
  for (let round = 0; round < 5; round += 1) await call('out');
  expect(await call('echo', {}, { signal: AbortSignal.abort() })).toMatchObject({ reason: 'cancelled' });
  clock.advance(500);
  expect(await call('echo', {}, { signal: AbortSignal.abort() })).toMatchObject({ reason: 'cancelled' });
  expect(textOf(await call('echo'))).toBe('here');
});

test('one of many calls tries a server that hangs, and the others do not wait for it', async () => {
  const clock = stillClock();
  const http = await serveHttp(legacyHandler({ hang: () => {}, echo }));
  const { call, pool } = openPool(httpServer(http.url, { era: 'legacy' }), { clock });
  await call('echo');
  await Promise.all(Array.from({ length: 5 }, () => call('hang', {}, { timeoutMs: 100 })));
  expect(pool.status()).toMatchObject([{ breaker: 'open' }]);
  clock.advance(500);
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => call('hang', {}, { timeoutMs: 100 })));
  expect(outcomes.map((outcome) => (outcome.kind === 'failed' ? outcome.reason : 'completed')).sort()).toEqual([
    'upstream-timeout',
    'upstream-unavailable',
    'upstream-unavailable',
    'upstream-unavailable',
    'upstream-unavailable',
  ]);
});

test('an open breaker of one server does not affect another', async () => {
  const bad = await serveHttp(legacyHandler({ out }));
  const good = await serveHttp(legacyHandler({ echo }));
  const { call } = openPool(
    [httpServer(bad.url, { era: 'legacy', name: 'bad' }), httpServer(good.url, { era: 'legacy', name: 'good' })],
    { clock: stillClock() },
  );
  for (let round = 0; round < 6; round += 1) await call('out', {}, { server: 'bad' });
  expect(textOf(await call('echo', {}, { server: 'good' }))).toBe('here');
});

test('a process of one agent that hangs does not affect the process of another', async () => {
  const { call } = openPool(stdioServer(), { clock: stillClock() });
  await call('echo', { text: 'x' }, { as: 'ana' });
  for (let round = 0; round < 5; round += 1) await call('hang', {}, { as: 'ana', timeoutMs: 20 });
  expect(await call('echo', { text: 'x' }, { as: 'ana' })).toMatchObject({ reason: 'upstream-unavailable' });
  expect(textOf(await call('echo', { text: 'mine' }, { as: 'ben' }))).toBe('mine');
});
