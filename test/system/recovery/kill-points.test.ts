import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { afterEach, expect } from 'vitest';
import { modernCall } from '../../fixtures/clients/raw-http.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { manyTurns } from '../../fixtures/event-loop-turns.ts';
import { admittedNonces, CountedHome, callsEndingIn } from '../../fixtures/homes/counted-home.ts';
import type { Served } from '../../fixtures/homes/home.ts';
import { childrenOf, isAlive } from '../../fixtures/programs/process-stats.ts';

let counted: CountedHome;
afterEach(() => counted.close());

/** Kills the broker at the moment that the test has brought about. */
async function kill(served: Served): Promise<void> {
  await served.stop('SIGKILL');
}

/** Restarts the broker and returns what the ledger holds of calls. */
async function afterRestart(): Promise<{ readonly inDoubt: number; readonly intents: readonly string[] }> {
  const served = await counted.home.serve();
  const calls = counted.calls();
  await served.stop();
  expect(callsEndingIn(calls, 'call.admitted')).toEqual([]);
  return { inDoubt: callsEndingIn(calls, 'call.in-doubt').length, intents: [...admittedNonces(calls)] };
}

/** Something that must come is waited for as long as a slow machine needs. */
const PATIENT = { timeout: 30_000 };

verifies('L1', 'F2')('killed while a message is half received: there is no intent and no side effect', async () => {
  counted = await CountedHome.create();
  const served = await counted.home.serve();
  const { headers, body } = modernCall('counter__act', { nonce: 'half' });
  const lines = Object.entries({ ...headers, authorization: `Bearer ${counted.keys.get('demo')}` });
  const socket = connect(Number(new URL(served.url).port), '127.0.0.1').on('error', () => {});
  socket.write(
    `POST /mcp HTTP/1.1\r\nhost: ${new URL(served.url).host}\r\ncontent-type: application/json\r\n` +
      `content-length: ${body.length}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
  await new Promise((sent) => socket.write(body.slice(0, -10), sent));
  await kill(served);
  expect(await afterRestart()).toEqual({ inDoubt: 0, intents: [] });
  expect(counted.acted()).toEqual([]);
});

verifies('L1', 'F2')('killed while the intent waits for the ledger: nothing was sent', async () => {
  counted = await CountedHome.create();
  const served = await counted.home.serve();
  const caller = counted.caller(served);
  await caller.call('counter__act', { nonce: 'before' });
  const ledger = counted.openLedger();
  ledger.exec('BEGIN IMMEDIATE');
  const answer = caller.call('counter__act', { nonce: 'waits' });
  await manyTurns(served);
  expect(counted.counter.arrived).toEqual(['before']);
  await kill(served);
  ledger.close();
  expect(await answer).toEqual({ kind: 'lost' });
  expect(await afterRestart()).toEqual({ inDoubt: 0, intents: ['before'] });
  expect(counted.acted()).toEqual(['before']);
});

verifies('L1', 'F2')(
  'killed when the call is sent and not yet read by its server: it is in doubt, and acted on at most once',
  async () => {
    counted = await CountedHome.create();
    const served = await counted.home.serve();
    const caller = counted.caller(served);
    await caller.call('pipe__act', { nonce: 'before' });
    const [server = 0] = childrenOf(served.child.pid);
    process.kill(server, 'SIGSTOP');
    const answer = caller.call('pipe__act', { nonce: 'unread' });
    await expect.poll(() => [...admittedNonces(counted.calls())], PATIENT).toEqual(['before', 'unread']);
    await kill(served);
    process.kill(server, 'SIGCONT');
    await expect.poll(() => isAlive(server), PATIENT).toBe(false);
    expect(await answer).toEqual({ kind: 'lost' });
    expect(await afterRestart()).toEqual({ inDoubt: 1, intents: ['before', 'unread'] });
    expect(counted.acted().filter((nonce) => nonce === 'unread').length).toBeLessThanOrEqual(1);
  },
);

verifies('L1', 'F2').each([
  ['received and not acted on', 'before-acting', []],
  ['acted on and not answered', 'before-answering', ['unanswered']],
  ['answered by half', 'within-answer', ['unanswered']],
] as const)('killed when the call is %s: it is in doubt, and not sent again', async (_, pause, acted) => {
  counted = await CountedHome.create();
  counted.counter.pause = pause;
  const served = await counted.home.serve();
  const answer = counted.caller(served).call('counter__act', { nonce: 'unanswered' });
  await counted.counter.until(({ arrived }) => arrived.length === 1);
  await kill(served);
  expect(await answer).toEqual({ kind: 'lost' });
  expect(counted.acted()).toEqual(acted);
  expect(await afterRestart()).toEqual({ inDoubt: 1, intents: ['unanswered'] });
  expect(counted.counter.arrived).toEqual(['unanswered']);
});

verifies('L1', 'F2')(
  'killed while the outcome waits for the ledger: no reply was sent, and the call is in doubt',
  async () => {
    counted = await CountedHome.create();
    counted.counter.pause = 'before-answering';
    const served = await counted.home.serve();
    const answer = counted.caller(served).call('counter__act', { nonce: 'acted' });
    await counted.counter.until(({ acted }) => acted.length === 1);
    const ledger = counted.openLedger();
    ledger.exec('BEGIN IMMEDIATE');
    counted.counter.goOn();
    await manyTurns(served);
    await kill(served);
    ledger.close();
    expect(await answer).toEqual({ kind: 'lost' });
    expect(await afterRestart()).toEqual({ inDoubt: 1, intents: ['acted'] });
    expect(counted.counter.arrived).toEqual(['acted']);
  },
);

verifies('L1', 'F2')('killed right after the reply: both entries are there and nothing is in doubt', async () => {
  counted = await CountedHome.create();
  const served = await counted.home.serve();
  const answer = await counted.caller(served).call('counter__act', { nonce: 'done' });
  await kill(served);
  expect(answer).toEqual({ kind: 'result', text: 'done' });
  expect([...counted.calls().values()]).toEqual([{ kinds: ['call.admitted', 'call.closed'], nonce: 'done' }]);
  expect(await afterRestart()).toEqual({ inDoubt: 0, intents: ['done'] });
});

verifies('L1', 'F2')('killed again while it comes up: the open intent is in doubt once', async () => {
  counted = await CountedHome.create();
  counted.counter.pause = 'before-answering';
  const served = await counted.home.serve();
  const answer = counted.caller(served).call('counter__act', { nonce: 'open' });
  await counted.counter.until(({ acted }) => acted.length === 1);
  await kill(served);
  await answer;
  const ledger = counted.openLedger();
  ledger.exec('BEGIN IMMEDIATE');
  // Its recovery waits for the ledger until the deadline kills it.
  const second = spawnSync(process.execPath, [counted.home.command, 'serve', '--port', '0'], {
    ...{ cwd: counted.home.dir, env: counted.home.environment(), timeout: 2_500, killSignal: 'SIGKILL' },
  });
  ledger.close();
  expect(second.signal).toBe('SIGKILL');
  expect(callsEndingIn(counted.calls(), 'call.in-doubt')).toEqual([]);
  expect(await afterRestart()).toEqual({ inDoubt: 1, intents: ['open'] });
});
