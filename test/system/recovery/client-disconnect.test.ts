import { type ClientRequest, request } from 'node:http';
import { afterEach, expect } from 'vitest';
import { modernCall } from '../../fixtures/clients/raw-http.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { manyTurns } from '../../fixtures/event-loop-turns.ts';
import { CountedHome, callsEndingIn } from '../../fixtures/homes/counted-home.ts';
import type { Served } from '../../fixtures/homes/home.ts';

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

const recordedOnce = (): readonly string[] => [...counted.calls().values()].map(({ kinds }) => kinds.join());

/** The entries that close calls. */
function howClosed(): readonly unknown[] {
  const ledger = counted.openLedger();
  const rows = ledger.prepare<[], { readonly body: string }>(`SELECT body FROM entry WHERE kind = 'call.closed'`).all();
  ledger.close();
  return rows.map(({ body }): unknown => JSON.parse(body));
}

verifies('P14', 'F13')(
  'a disconnect during a call cancels it at the server; the call stays charged and recorded',
  async () => {
    counted = await CountedHome.create({ limits: ONE_CALL });
    counted.counter.pause = 'before-answering';
    const served = await counted.home.serve();
    const sent = sendCall(served, 'gone');
    await counted.counter.until(({ acted }) => acted.length === 1);
    sent.destroy();
    await counted.counter.until(({ aborted }) => aborted === 1);
    await expect.poll(recordedOnce, PATIENT).toEqual(['call.admitted,call.closed']);
    expect(howClosed()).toMatchObject([{ outcome: 'failed', reason: 'cancelled', inDoubt: true }]);
    expect(await counted.caller(served).call('counter__act', { nonce: 'next' })).toMatchObject({
      kind: 'refused',
      reason: 'budget-exhausted',
    });
  },
);

verifies('P14', 'F13')(
  'a client that vanishes before its call is sent gets its budget back, and the server never sees the call',
  async () => {
    counted = await CountedHome.create({ limits: ONE_CALL });
    const served = await counted.home.serve();
    const ledger = counted.openLedger();
    ledger.exec('BEGIN IMMEDIATE');
    const sent = sendCall(served, 'gone');
    await new Promise((flushed) => sent.once('finish', flushed));
    await manyTurns(served);
    sent.destroy();
    await manyTurns(served);
    ledger.exec('ROLLBACK');
    ledger.close();
    await expect.poll(recordedOnce, PATIENT).toEqual(['call.admitted,call.closed']);
    expect(howClosed()).toMatchObject([{ outcome: 'failed', reason: 'cancelled', inDoubt: false }]);
    expect(counted.counter.arrived).toEqual([]);
    expect(await counted.caller(served).call('counter__act', { nonce: 'next' })).toEqual({
      kind: 'result',
      text: 'next',
    });
    expect(callsEndingIn(counted.calls(), 'call.admitted')).toEqual([]);
  },
);
