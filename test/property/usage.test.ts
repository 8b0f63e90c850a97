import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Entry } from '../../src/ledger/entry.ts';
import { addUsage, NO_USAGE, queryUsage, USAGE_KEYS, type UsageSums } from '../../src/ledger/usage.ts';
import { admitted, closed, openTestLedger, type TestLedger } from '../fixtures/ledger.ts';

let store: TestLedger;
beforeAll(async () => {
  store = await openTestLedger();
});
afterAll(() => store.close());

const SPAN_MS = 100 * 86_400_000;
let runs = 0;

/** One outcome of a call, or aggregated refusals. */
const ending = fc.record({
  agent: fc.constantFrom('agent:a', 'agent:b', 'agent:c'),
  team: fc.constantFrom(undefined, 'team:x', 'team:y'),
  tool: fc.constantFrom('tool:s/one', 'tool:s/two', 'tool:t/one', 'tool:unknown'),
  kind: fc.constantFrom('completed', 'refused', 'withheld', 'failed', 'in-doubt', 'never-closed', 'summed', 'open'),
  reason: fc.constantFrom('policy-denied', 'rate-exceeded', 'budget-exhausted'),
  number: fc.integer({ min: 1, max: 1_000 }),
  cost: fc.integer({ min: 0, max: 1_000_000_000_000 }),
  offsetMs: fc.integer({ min: 0, max: SPAN_MS - 1 }),
});
type Ending = typeof ending extends fc.Arbitrary<infer T> ? T : never;

/** Its entries, and the sums that it adds, computed naively. */
function recorded(
  each: Ending,
  callId: string,
  fromMs: number,
): { readonly entries: readonly Entry[]; readonly adds: UsageSums } {
  const { agent, team, tool, reason, number, cost } = each;
  const atMs = fromMs + each.offsetMs;
  const steps = [
    { control: 'budget' as const, effect: 'allow' as const, facts: { costNanoUsd: cost, nowMs: 0, rules: [] } },
  ];
  const subjects = team === undefined ? [agent] : [agent, team];
  const common = { principal: agent, atMs };
  const target = (
    tool === 'tool:unknown' ? { id: tool, exposedName: 'x' } : { ...admitted('c').target, id: tool }
  ) as never;
  const intent = admitted(callId, { ...common, steps, subjects, target });
  const one = { ...NO_USAGE, calls: 1, costNanoUsd: BigInt(cost) };
  const end = (more: object): readonly Entry[] => [
    intent,
    closed(callId, { ...common, target: tool, costNanoUsd: cost, ...more }),
  ];
  const { registry, revision, session, v } = intent;
  const entryFields = { ...common, registry, revision, session, v };
  switch (each.kind) {
    case 'completed':
      return { entries: end({}), adds: { ...one, completed: 1 } };
    case 'withheld':
      return { entries: end({ outcome: 'refused', reason }), adds: { ...one, refused: 1 } };
    case 'failed':
      return { entries: end({ outcome: 'failed', reason }), adds: { ...one, failed: 1 } };
    case 'in-doubt':
      return { entries: end({ outcome: 'failed', reason, inDoubt: true }), adds: { ...one, inDoubt: 1 } };
    case 'never-closed': {
      const found = {
        ...entryFields,
        kind: 'call.in-doubt',
        callId,
        action: 'call',
        target: tool,
        admittedAtMs: atMs,
        reason: 'in-doubt',
      } as const;
      return { entries: [intent, found], adds: { ...one, inDoubt: 1 } };
    }
    case 'refused': {
      const refusal = { ...intent, kind: 'call.refused', stage: 'authorize', reason, message: 'no' } as const;
      return { entries: [refusal], adds: { ...one, refused: 1, costNanoUsd: 0n } };
    }
    case 'summed': {
      const sum = {
        ...entryFields,
        kind: 'call.refusals-summed',
        of: 'call.refused',
        count: number,
        fromMs: atMs,
        reason,
      } as const;
      return { entries: [sum], adds: { ...NO_USAGE, calls: number, refused: number } };
    }
    default:
      return { entries: [intent], adds: NO_USAGE };
  }
}

test('for every key the sums of all groups equal the totals', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(ending, { maxLength: 30 }), async (endings) => {
      // Each run has its own time, so that one ledger serves all runs.
      runs += 1;
      const fromMs = runs * SPAN_MS;
      const recordings = endings.map((each, index) => recorded(each, `${runs}-${index}`, fromMs));
      await store.ledger.appendAll(recordings.flatMap(({ entries }) => entries));
      const totals = recordings.map(({ adds }) => adds).reduce(addUsage, NO_USAGE);
      for (const by of USAGE_KEYS) {
        const { rows, unreadable } = queryUsage(store.database, { by, fromMs, untilMs: fromMs + SPAN_MS });
        expect([by, rows.reduce<UsageSums>(addUsage, NO_USAGE), unreadable]).toEqual([by, totals, 0]);
        expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
        for (const { calls, completed, refused, failed, inDoubt } of rows)
          expect(completed + refused + failed + inDoubt).toBe(calls);
      }
    }),
    { numRuns: 60 },
  );
});
