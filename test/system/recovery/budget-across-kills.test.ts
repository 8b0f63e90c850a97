import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import type { Caller, Delivery } from '../../fixtures/clients/caller.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { admittedNonces, CountedHome } from '../../fixtures/homes/counted-home.ts';

let counted: CountedHome;
afterEach(() => counted.close());

/** Windows of a month: a test that runs over the end of one is rarer than that. */
const budgetOf = (hard: string): string =>
  `budgets:\n  - { subject: "agent:*", resource: "tool:*", window: month, hard: ${hard} }\n`;

/** So many calls at once, each with a nonce of its own. */
function callsAtOnce(caller: Caller, count: number, prefix: string): Promise<readonly Delivery[]> {
  return Promise.all(
    Array.from({ length: count }, (_, at) => caller.call('counter__act', { nonce: `${prefix}-${at}` })),
  );
}

/** How often each answer was given. */
function tally(deliveries: readonly Delivery[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const answer of deliveries) {
    const key = answer.kind === 'refused' ? answer.reason : answer.kind;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

verifies('B1')('of 1,000 calls at once against a budget of 100, exactly 100 are sent', async () => {
  counted = await CountedHome.create({ limits: budgetOf('{ calls: 100 }') });
  const served = await counted.home.serve();
  const deliveries = await callsAtOnce(counted.caller(served), 1_000, 'a');
  expect(tally(deliveries)).toEqual({ result: 100, 'budget-exhausted': 900 });
  expect(counted.acted().length).toBe(100);
  await served.stop();
  expect(await counted.replay()).toEqual({ code: 0, differences: 0, undecidable: 0 });
});

verifies('B1')(
  'killed in the middle of 1,000 calls, a budget of 100 grants 100 intents in all and never more side effects',
  async () => {
    counted = await CountedHome.create({ limits: budgetOf('{ calls: 100 }') });
    const first = await counted.home.serve();
    counted.counter.pause = 'before-answering';
    const before = callsAtOnce(counted.caller(first), 1_000, 'a');
    await counted.counter.until(({ acted }) => acted.length >= 20);
    await first.stop('SIGKILL');
    const atKill = tally(await before);
    counted.counter.goOn();
    counted.counter.pause = 'nowhere';
    const second = await counted.home.serve();
    const granted = admittedNonces(counted.calls()).size;
    const after = await callsAtOnce(counted.caller(second), 1_000, 'b');
    expect(tally(after)).toEqual(
      granted === 100 ? { 'budget-exhausted': 1_000 } : { result: 100 - granted, 'budget-exhausted': 900 + granted },
    );
    expect(admittedNonces(counted.calls()).size).toBe(100);
    expect(new Set(counted.acted()).size).toBe(counted.acted().length);
    expect(counted.acted().length).toBeLessThanOrEqual(100);
    await second.stop();
    process.stdout.write(
      `kill -9 in a budget: ${JSON.stringify(atKill)}, ${granted} intents kept, ${counted.acted().length} side effects in all\n`,
    );
  },
);

verifies('B1')('a budget of one dollar pays for exactly 100 calls of a cent', async () => {
  counted = await CountedHome.create({ limits: budgetOf('{ usd: "1.00" }'), costUsd: '0.01' });
  const served = await counted.home.serve();
  const caller = counted.caller(served);
  expect(tally(await callsAtOnce(caller, 300, 'a'))).toEqual({ result: 100, 'budget-exhausted': 200 });
  expect(tally(await callsAtOnce(caller, 1, 'free'))).toEqual({ 'budget-exhausted': 1 });
  expect(counted.acted().length).toBe(100);
});

verifies('B1')('a call that its server never got costs nothing', async () => {
  counted = await CountedHome.create({ limits: budgetOf('{ calls: 5 }') });
  const served = await counted.home.serve();
  const caller = counted.caller(served);
  const { port } = counted.counter;
  await counted.counter.close();
  // One after the other: each must find the budget that the one before it has given back.
  for (let made = 0; made < 8; made += 1) {
    expect(await caller.call('counter__act', { nonce: `down-${made}` })).toMatchObject({
      kind: 'refused',
      reason: 'upstream-unavailable',
    });
  }
  await counted.counter.listen(port);
  // The broker leaves a server alone for a while that it could not reach.
  await expect
    .poll(async () => (await caller.call('counter__act', { nonce: 'up' })).kind, { timeout: 30_000, interval: 500 })
    .toBe('result');
  expect(tally(await callsAtOnce(caller, 6, 'up'))).toEqual({ result: 4, 'budget-exhausted': 2 });
});

const fakeTime = readdirSync('/usr/lib')
  .map((name) => join('/usr/lib', name, 'faketime/libfaketime.so.1'))
  .find((path) => existsSync(path));
if (fakeTime === undefined) process.stdout.write('skipped: no libfaketime here, which sets the clock of one process\n');

/** Environment of a process whose calendar clock is set by a file, and whose monotonic clock is left alone. */
function clockSetBy(file: string): Record<string, string> {
  return {
    LD_PRELOAD: fakeTime ?? '',
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
}

verifies('B2').skipIf(fakeTime === undefined)(
  'a clock that jumps an hour ahead and back gives no extra quota of an hour, nor does a restart with a clock set back',
  async () => {
    counted = await CountedHome.create({
      limits: 'budgets:\n  - { subject: "agent:*", resource: "tool:*", window: hour, hard: { calls: 10 } }\n',
    });
    const file = counted.home.path('clock');
    const hourMs = 3_600_000;
    // The broker begins five minutes into an hour, so that the test does not run over the end of one.
    const startMs = 5 * 60_000 - (Date.now() % hourMs);
    const setClock = (hours: number): void => {
      const seconds = (startMs + hours * hourMs) / 1_000;
      // At once as a whole: a process that reads half a file ends.
      writeFileSync(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds.toFixed(3)}\n`);
      renameSync(`${file}.new`, file);
    };
    setClock(0);
    const env = clockSetBy(file);
    const first = await counted.home.serve({ env });
    const caller = counted.caller(first);
    expect(tally(await callsAtOnce(caller, 12, 'now'))).toEqual({ result: 10, 'budget-exhausted': 2 });
    setClock(1);
    expect(tally(await callsAtOnce(caller, 3, 'ahead'))).toEqual({ 'budget-exhausted': 3 });
    setClock(-1);
    expect(tally(await callsAtOnce(caller, 3, 'behind'))).toEqual({ 'budget-exhausted': 3 });
    await first.stop();
    expect(counted.systemEntryKinds().filter((kind) => kind === 'clock.jumped').length).toBe(2);
    const second = await counted.home.serve({ env });
    expect(tally(await callsAtOnce(counted.caller(second), 3, 'restarted'))).toEqual({ 'budget-exhausted': 3 });
    await second.stop();
    expect(counted.acted().length).toBe(10);
    expect(await counted.replay()).toMatchObject({ differences: 0 });
  },
);
