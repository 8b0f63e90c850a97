import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { afterEach, expect } from 'vitest';
import type { Caller, Delivery } from '../../fixtures/clients/caller.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { admittedNonces, CountedHome } from '../../fixtures/homes/counted-home.ts';
import { mayMountSmall, mountSmall } from '../../fixtures/homes/small-disk.ts';
import { childrenOf } from '../../fixtures/programs/process-stats.ts';

let counted: CountedHome;
let mounted: string | undefined;
afterEach(async () => {
  for (const served of counted?.home.running() ?? []) await served.stop('SIGKILL');
  if (mounted !== undefined) spawnSync('umount', [mounted]);
  mounted = undefined;
  await counted.close();
});

const mayMount = mayMountSmall();
const mayTrace = spawnSync('strace', ['-f', '-e', 'trace=none', 'true']).status === 0;
if (!mayTrace) process.stdout.write('skipped: no strace here, which makes a sync of the disk fail\n');

const BOOKLESS = 'ledger-unavailable';

/** A home whose data directory is a disk of its own, of 4 MB. */
function onSmallDisk(limits = ''): Promise<CountedHome> {
  return CountedHome.create({ limits }, (home) => {
    mounted = home.path('data');
    mkdirSync(mounted, { recursive: true });
    mountSmall(mounted, '4m');
  });
}

/** Takes all room that a disk has. */
function fillUp(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4_096));
  } catch {
    closeSync(file);
  }
}

/** Calls one after the other, at most so often, until one is refused; returns the reply for every nonce. */
async function callUntilRefused(caller: Caller, most: number): Promise<Map<string, Delivery>> {
  const deliveries = new Map<string, Delivery>();
  for (let at = 0; at < most; at += 1) {
    const answer = await caller.call('counter__act', { nonce: `until-${at}` });
    deliveries.set(`until-${at}`, answer);
    if (answer.kind !== 'result') break;
  }
  return deliveries;
}

async function callAtOnce(caller: Caller, count: number): Promise<readonly string[]> {
  const deliveries = await Promise.all(
    Array.from({ length: count }, (_, at) => caller.call('counter__act', { nonce: `more-${at}` })),
  );
  return deliveries.map((answer) => (answer.kind === 'refused' ? answer.reason : answer.kind));
}

/** Nonces acknowledged without an entry, and nonces acted on without an intent. Both must be empty. */
function missing(deliveries: ReadonlyMap<string, Delivery>): {
  readonly unbooked: string[];
  readonly unintended: string[];
} {
  const calls = counted.calls();
  const intents = admittedNonces(calls);
  const closed = new Set(
    [...calls.values()].filter(({ kinds }) => kinds.at(-1) === 'call.closed').map(({ nonce }) => nonce),
  );
  return {
    unbooked: [...deliveries]
      .filter(([nonce, { kind }]) => kind === 'result' && !closed.has(nonce))
      .map(([nonce]) => nonce),
    unintended: counted.acted().filter((nonce) => !intents.has(nonce)),
  };
}

verifies('F4').skipIf(!mayMount)(
  'with a full disk calls are refused and nothing is sent; with room again the service goes on, and nothing is damaged',
  async () => {
    counted = await onSmallDisk();
    const served = await counted.home.serve();
    const caller = counted.caller(served);
    expect(await caller.call('counter__act', { nonce: 'before' })).toEqual({ kind: 'result', text: 'before' });
    fillUp(counted.home.path('data/ballast'));
    const deliveries = await callUntilRefused(caller, 500);
    expect([...deliveries.values()].at(-1)).toMatchObject({ kind: 'refused', reason: BOOKLESS });
    const arrived = counted.counter.arrived.length;
    expect(await callAtOnce(caller, 50)).toEqual(Array.from({ length: 50 }, () => BOOKLESS));
    expect(counted.counter.arrived.length).toBe(arrived);
    expect((await fetch(`${served.url}/healthz`)).ok).toBe(true);
    rmSync(counted.home.path('data/ballast'));
    expect(await caller.call('counter__act', { nonce: 'after' })).toEqual({ kind: 'result', text: 'after' });
    await served.stop();
    expect(served.child.exitCode).toBe(0);
    expect(missing(deliveries)).toEqual({ unbooked: [], unintended: [] });
    expect(counted.integrity()).toBe('ok');
    expect(await counted.replay()).toEqual({ code: 0, differences: 0, undecidable: 0 });
  },
);

verifies('F4').skipIf(!mayMount)(
  'the disk becomes full while an outcome is to be written: the call is reported as in doubt',
  async () => {
    counted = await onSmallDisk();
    const served = await counted.home.serve();
    const caller = counted.caller(served);
    counted.counter.pause = 'before-answering';
    const answer = caller.call('counter__act', { nonce: 'acted' });
    await counted.counter.until(({ acted }) => acted.length === 1);
    counted.counter.pause = 'nowhere';
    fillUp(counted.home.path('data/ballast'));
    await callUntilRefused(caller, 500);
    counted.counter.goOn(1);
    expect(await answer).toMatchObject({ kind: 'refused', reason: BOOKLESS });
    await served.stop('SIGKILL');
    rmSync(counted.home.path('data/ballast'));
    const again = await counted.home.serve();
    const acted = [...counted.calls().values()].find(({ nonce }) => nonce === 'acted');
    expect(acted?.kinds).toEqual(['call.admitted', 'call.in-doubt']);
    expect(await counted.caller(again).call('counter__act', { nonce: 'after' })).toMatchObject({ kind: 'result' });
  },
);

verifies('F4').skipIf(!mayMount)(
  'a broker that is stopped while its disk is full ends, and says that its last state is not written',
  async () => {
    counted = await onSmallDisk(
      'budgets:\n  - { subject: "agent:*", resource: "tool:*", window: month, hard: { calls: 1000 } }\n',
    );
    const served = await counted.home.serve();
    fillUp(counted.home.path('data/ballast'));
    await callUntilRefused(counted.caller(served), 500);
    await served.stop();
    expect(served.child.exitCode).toBe(1);
    expect(served.printed()).toContain('ledger.unavailable kind=broker.stopped');
    expect(served.printed()).toContain('the last state could not be written  (storage-last-state-lost)\nhint: ');
    rmSync(counted.home.path('data/ballast'));
    expect(counted.integrity()).toBe('ok');
  },
);

verifies('F5').skipIf(!mayTrace)(
  'when the disk fails to sync, calls are refused and nothing more is sent, and a failed sync is never acknowledged',
  async () => {
    counted = await CountedHome.create();
    const failing = ['-f', '-qq', '--seccomp-bpf', '-o', '/dev/null', '-e', 'trace=fdatasync,fsync'];
    const served = await counted.home.serve({
      under: ['strace', ...failing, '-e', 'inject=fdatasync,fsync:error=EIO:when=80+'],
    });
    const caller = counted.caller(served);
    const deliveries = await callUntilRefused(caller, 500);
    expect([...deliveries.values()].at(-1)).toMatchObject({ kind: 'refused', reason: BOOKLESS });
    expect([...deliveries.values()].filter(({ kind }) => kind === 'result').length).toBeGreaterThan(10);
    const arrived = counted.counter.arrived.length;
    expect(await callAtOnce(caller, 20)).toEqual(Array.from({ length: 20 }, () => BOOKLESS));
    expect(counted.counter.arrived.length).toBe(arrived);
    for (const broker of childrenOf(served.child.pid)) process.kill(broker, 'SIGKILL');
    await served.stop();
    const again = await counted.home.serve();
    expect(await counted.caller(again).call('counter__act', { nonce: 'after' })).toMatchObject({ kind: 'result' });
    expect(missing(deliveries)).toEqual({ unbooked: [], unintended: [] });
    expect(counted.integrity()).toBe('ok');
  },
);
