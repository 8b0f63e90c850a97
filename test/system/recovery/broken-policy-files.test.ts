import { rmSync, writeFileSync } from 'node:fs';
import { afterEach, expect } from 'vitest';
import type { Delivery } from '../../fixtures/clients/caller.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { CountedHome } from '../../fixtures/homes/counted-home.ts';
import type { Served } from '../../fixtures/homes/home.ts';

let counted: CountedHome;
afterEach(() => counted.close());

const ROWS = 'p, agent:*, tool:*, call, , allow\n';
/** One call every 5 ms: 200 calls a second. */
const EVERY_MS = 5;

interface Load {
  /** Stops calling and gives every answer. */
  end(): Promise<readonly Delivery[]>;
}

function load(served: Served): Load {
  const caller = counted.caller(served);
  const underWay: Promise<Delivery>[] = [];
  const timer = setInterval(() => {
    underWay.push(caller.call('counter__act', { nonce: `load-${underWay.length}` }));
  }, EVERY_MS);
  return {
    end: () => {
      clearInterval(timer);
      return Promise.all(underWay);
    },
  };
}

/** Policy revisions of the entries of each call. */
function revisionsOfCalls(): readonly (readonly string[])[] {
  const ledger = counted.openLedger();
  const rows = ledger.prepare<[], { readonly call: string; readonly body: string }>(
    'SELECT call, body FROM entry WHERE call IS NOT NULL',
  );
  const revisions = new Map<string, Set<string>>();
  for (const { call, body } of rows.iterate()) {
    const revision = /"revision":"([^"]+)"/.exec(body)?.[1] ?? 'none';
    revisions.set(call, (revisions.get(call) ?? new Set()).add(revision));
  }
  ledger.close();
  return [...revisions.values()].map((set) => [...set]);
}

verifies('F19')(
  'a policy file that is half written, broken or gone under load changes nothing but the alarm',
  async () => {
    counted = await CountedHome.create();
    const served = await counted.home.serve();
    const policy = counted.home.path('policies/policy.csv');
    const calling = load(served);
    writeFileSync(policy, 'p, agent:*, tool:*, call, , al');
    await served.said('reload.refused', 1);
    writeFileSync(policy, `${ROWS}p, agent:demo, tool:*, call, "args.(", deny\n`);
    await served.said('reload.refused', 2);
    rmSync(policy);
    await served.said('reload.refused', 3);
    writeFileSync(policy, `${ROWS}p, agent:demo, tool:none/*, call, , deny\n`);
    await served.said('policy.applied');
    const deliveries = await calling.end();
    expect(deliveries.filter(({ kind }) => kind !== 'result')).toEqual([]);
    expect(deliveries.length).toBeGreaterThan(20);
    await served.stop();
    expect(new Set(revisionsOfCalls().flat()).size).toBeLessThanOrEqual(2);
    const kinds = counted.systemEntryKinds().filter((kind) => kind.startsWith('policy.'));
    expect(kinds.at(-1)).toBe('policy.applied');
    expect(kinds.slice(0, -1).every((kind) => kind === 'policy.rejected')).toBe(true);
    expect(kinds.length).toBeGreaterThanOrEqual(4);
  },
);

verifies('F19')('a broker does not start with a broken policy, and says where it is broken', async () => {
  counted = await CountedHome.create();
  counted.home.write({ 'policies/policy.csv': `${ROWS}p, agent:demo, tool:*, call, , alow\n` });
  const ran = await counted.home.run(['serve', '--port', '0']);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toMatch(/policy\.csv:2:\d+/);
});

verifies('F20')('a grant that is taken back under load allows no call after the broker has said so', async () => {
  counted = await CountedHome.create({ agents: ['demo', 'other'] });
  const served = await counted.home.serve();
  const calling = load(served);
  counted.home.write({ 'policies/policy.csv': 'p, agent:other, tool:*, call, , allow\n' });
  await served.said('policy.applied');
  const after = await counted.caller(served).call('counter__act', { nonce: 'after' });
  const other = await counted.caller(served, 'other').call('counter__act', { nonce: 'other' });
  expect(await calling.end()).not.toContainEqual({ kind: 'lost' });
  expect(after).toMatchObject({ kind: 'error', body: expect.stringContaining('Unknown tool') });
  expect(other).toEqual({ kind: 'result', text: 'other' });
  await served.stop();
  const ledger = counted.openLedger();
  const revisions = ledger
    .prepare<[string], { readonly body: string }>(
      `SELECT body FROM entry WHERE kind = 'call.admitted' AND principal = ?`,
    )
    .all('agent:demo')
    .map(({ body }) => /"revision":"([^"]+)"/.exec(body)?.[1]);
  ledger.close();
  // What was decided before may arrive after; nothing is decided by what was taken back.
  expect(new Set(revisions).size).toBe(1);
  expect(counted.counter.arrived).not.toContain('after');
});
