import { type ClientRequest, request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { CountedHome, callsEndingIn } from '../fixtures/counted-home.ts';
import type { Served } from '../fixtures/home.ts';
import { modernCall } from '../fixtures/raw-http.ts';

let counted: CountedHome;
afterEach(() => counted.close());

const PATIENT = { timeout: 30_000, interval: 20 };
const ONE_CALL = 'budgets:\n  - { subject: "agent:*", resource: "tool:*", window: month, hard: { calls: 1 } }\n';

/** Sends a call and keeps the connection in hand, to break it. */
function sendCall(served: Served, nonce: string): ClientRequest {
  const { headers, body } = modernCall('counter__act', { nonce });
  const authorization = `Bearer ${counted.keys.get('demo')}`;
  const sent = request(`${served.url}/mcp`, {
    ...{ method: 'POST', agent: false },
    headers: { ...headers, authorization, 'content-type': 'application/json' },
  });
  sent.on('error', () => {});
  sent.end(body);
  return sent;
}

const bookedOnce = (): readonly string[] => [...counted.calls().values()].map(({ kinds }) => kinds.join());

test('a client that vanishes while its call is out ends it at the server, and the call stays charged and recorded', async () => {
  counted = await CountedHome.make({ limits: ONE_CALL });
  counted.counter.pause = 'before-answering';
  const served = await counted.home.serve();
  const sent = sendCall(served, 'gone');
  await counted.counter.until(({ acted }) => acted.length === 1);
  sent.destroy();
  await counted.counter.until(({ aborted }) => aborted === 1);
  await expect.poll(bookedOnce, PATIENT).toEqual(['call.admitted,call.closed']);
  expect(await counted.caller(served).call('counter__act', { nonce: 'next' })).toMatchObject({
    kind: 'refused',
    reason: 'budget-exhausted',
  });
});

test('a client that vanishes before its call is sent gets its budget back, and the server never sees the call', async () => {
  counted = await CountedHome.make({ limits: ONE_CALL });
  const served = await counted.home.serve();
  const book = counted.openBook();
  book.exec('BEGIN IMMEDIATE');
  const sent = sendCall(served, 'gone');
  // The call waits for the book when a later message is answered; so does the end of the connection after it.
  await new Promise((flushed) => sent.once('finish', flushed));
  expect((await fetch(`${served.url}/healthz`)).ok).toBe(true);
  sent.destroy();
  expect((await fetch(`${served.url}/healthz`)).ok).toBe(true);
  book.exec('ROLLBACK');
  book.close();
  await expect.poll(bookedOnce, PATIENT).toEqual(['call.admitted,call.closed']);
  expect(counted.counter.arrived).toEqual([]);
  expect(await counted.caller(served).call('counter__act', { nonce: 'next' })).toEqual({
    kind: 'result',
    text: 'next',
  });
  expect(callsEndingIn(counted.calls(), 'call.admitted')).toEqual([]);
});
