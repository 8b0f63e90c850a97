import { readFileSync } from 'node:fs';
import { afterEach, expect } from 'vitest';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { CountedHome, callsEndingIn } from '../../fixtures/homes/counted-home.ts';

let counted: CountedHome;
afterEach(() => counted.close());

const PATIENT = { timeout: 30_000, interval: 20 };

verifies('F27')(
  'stopped with 100 calls under way, those that end within the drain get their reply and the others are recorded in doubt',
  async () => {
    counted = await CountedHome.create();
    counted.counter.pause = 'before-answering';
    const served = await counted.home.serve();
    const caller = counted.caller(served);
    const underWay = Array.from({ length: 100 }, (_, at) => caller.call('counter__act', { nonce: `call-${at}` }));
    await counted.counter.until(({ acted }) => acted.length === 100);
    const stopped = served.stop('SIGTERM');
    const isServing = (): Promise<boolean> =>
      fetch(`${served.url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(isServing, PATIENT).toBe(false);
    expect(await counted.caller(served).call('counter__act', { nonce: 'late' })).toEqual({ kind: 'lost' });
    counted.counter.goOn(60);
    const deliveries = await Promise.all(underWay);
    await stopped;
    expect(served.child.exitCode).toBe(0);
    expect(deliveries.filter(({ kind }) => kind === 'result').length).toBe(60);
    expect(deliveries.filter((answer) => answer.kind === 'refused' && answer.reason === 'cancelled').length).toBe(40);
    expect(counted.counter.aborted).toBe(40);
    expect(counted.counter.acted).not.toContain('late');
    expect(callsEndingIn(counted.calls(), 'call.closed').length).toBe(100);
    expect(closedInDoubt()).toBe(40);
    expect(counted.systemEntryKinds().at(-1)).toBe('broker.stopped');
    expect(await counted.replay()).toEqual({ code: 0, differences: 0, undecidable: 0 });
  },
);

verifies('F21')(
  'a second broker on the same data directory is refused with the name of the first, which goes on',
  async () => {
    counted = await CountedHome.create();
    const served = await counted.home.serve();
    const before = readFileSync(counted.home.path('data/holder.json'), 'utf8');
    const entries = counted.systemEntryKinds();
    const second = await counted.home.run(['serve', '--port', '0']);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`process ${served.child.pid} holds the data directory`);
    expect(readFileSync(counted.home.path('data/holder.json'), 'utf8')).toBe(before);
    expect(await counted.caller(served).call('counter__act', { nonce: 'a' })).toEqual({ kind: 'result', text: 'a' });
    expect(counted.systemEntryKinds()).toEqual(entries);
  },
);

/** Number of closed entries that are in doubt. */
function closedInDoubt(): number {
  const ledger = counted.openLedger();
  const rows = ledger.prepare<[], { readonly body: string }>(`SELECT body FROM entry WHERE kind = 'call.closed'`).all();
  ledger.close();
  return rows.filter(({ body }) => body.includes('"inDoubt":true')).length;
}
