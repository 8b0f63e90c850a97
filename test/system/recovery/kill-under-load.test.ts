import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect } from 'vitest';
import type { Delivery } from '../../fixtures/clients/caller.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { admittedNonces, CountedHome, callsEndingIn, type RecordedCall } from '../../fixtures/homes/counted-home.ts';
import { until } from '../../fixtures/homes/governed-home.ts';
import { scaled } from '../../fixtures/scale.ts';

let counted: CountedHome | undefined;
afterEach(() => counted?.close());

const ROUNDS = scaled({ small: 3, full: 50 });
const AGENTS = ['ann', 'ben', 'cleo', 'dan'];
/** One call every 5 ms: 200 calls a second. */
const EVERY_MS = 5;

interface Round {
  readonly deliveries: ReadonlyMap<string, Delivery>;
  readonly readyMs: number;
}

/** Serves, calls at a steady rate, kills at a moment between 50 and 2,000 ms once some calls are acknowledged, and waits for the replies. */
async function killedUnderLoad(home: CountedHome, round: number): Promise<Round> {
  const startedMs = performance.now();
  const served = await home.home.serve();
  const readyMs = performance.now() - startedMs;
  const callers = AGENTS.map((agent) => home.caller(served, agent));
  const deliveries = new Map<string, Delivery>();
  const underWay: Promise<void>[] = [];
  let made = 0;
  const traffic = setInterval(() => {
    const nonce = `${round}-${made}`;
    const caller = callers[made % callers.length];
    const tool = made % 3 === 0 ? 'pipe__act' : 'counter__act';
    made += 1;
    if (caller) underWay.push(caller.call(tool, { nonce }).then((answer) => void deliveries.set(nonce, answer)));
  }, EVERY_MS);
  await delay(50 + Math.random() * 1_950);
  // A busy machine may need longer for the first replies.
  await until(() => [...deliveries.values()].filter(({ kind }) => kind === 'result').length > 5);
  await served.stop('SIGKILL');
  clearInterval(traffic);
  await Promise.all(underWay);
  for (const caller of callers) caller.close();
  return { deliveries, readyMs };
}

/** Nonces with a result but without both entries in the ledger. */
function unbooked(
  deliveries: ReadonlyMap<string, Delivery>,
  calls: ReadonlyMap<string, RecordedCall>,
): readonly string[] {
  const closed = new Set(
    [...calls.values()].filter(({ kinds }) => kinds.join() === 'call.admitted,call.closed').map(({ nonce }) => nonce),
  );
  return [...deliveries].filter(([nonce, { kind }]) => kind === 'result' && !closed.has(nonce)).map(([nonce]) => nonce);
}

verifies('L1', 'F1')(
  `killed under load ${ROUNDS} times, no acknowledged call lacks its entries and no side effect its intent`,
  async () => {
    counted = await CountedHome.create({ agents: AGENTS });
    const deliveries = new Map<string, Delivery>();
    const readyMs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const { deliveries: more, readyMs: took } = await killedUnderLoad(counted, round);
      for (const [nonce, answer] of more) deliveries.set(nonce, answer);
      readyMs.push(took);
    }
    const startedMs = performance.now();
    const last = await counted.home.serve();
    readyMs.push(performance.now() - startedMs);
    const calls = counted.calls();
    const inDoubt = callsEndingIn(calls, 'call.in-doubt');
    const intents = admittedNonces(calls);
    expect(unbooked(deliveries, calls)).toEqual([]);
    expect(counted.acted().filter((nonce) => !intents.has(nonce))).toEqual([]);
    expect(callsEndingIn(calls, 'call.admitted')).toEqual([]);
    const listed = await counted.home.run([
      'ledger',
      'list',
      '--kind',
      'call.in-doubt',
      '--limit',
      '99999',
      '--output',
      'json',
    ]);
    const shown = JSON.parse(listed.stdout) as readonly { readonly entry: { readonly callId: string } }[];
    expect(shown.map(({ entry }) => entry.callId).sort()).toEqual([...inDoubt].sort());
    expect(counted.integrity()).toBe('ok');
    expect(await counted.replay()).toEqual({ code: 0, differences: 0, undecidable: 0 });
    await last.stop();
    const results = [...deliveries.values()].filter(({ kind }) => kind === 'result').length;
    const slowest = Math.max(...readyMs).toFixed(0);
    const median = readyMs.toSorted((a, b) => a - b)[Math.floor(readyMs.length / 2)]?.toFixed(0);
    process.stdout.write(
      `kill -9 under load: ${ROUNDS} rounds, ${deliveries.size} calls, ${results} acknowledged, ${calls.size} in the ledger, ` +
        `${counted.acted().length} side effects, ${inDoubt.length} in doubt, ` +
        `ready after ${median} ms (median), ${slowest} ms (slowest)\n`,
    );
    expect(results).toBeGreaterThan(ROUNDS * 5);
    expect(Math.max(...readyMs)).toBeLessThan(20_000);
  },
  60_000 + ROUNDS * 10_000,
);
