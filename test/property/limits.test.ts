import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import { budgetControl } from '../../src/limits/budget/control.ts';
import { createBudgetState } from '../../src/limits/budget/state.ts';
import { CALENDAR_WINDOWS, windowEndMs, windowStartMs } from '../../src/limits/calendar-window.ts';
import { concurrencyControl, createConcurrencyState } from '../../src/limits/concurrency.ts';
import { loadLimits } from '../../src/limits/load.ts';
import { createRateState, rateControl } from '../../src/limits/rate.ts';
import {
  COMPLETED,
  callOf,
  failedWith,
  refusedAt,
  rowStore,
  runControl,
  SetClock,
} from '../unit/limits/limited-call.ts';

const agents = fc.constantFrom('a', 'b', 'c');

test('a rate admits exactly the calls that a leaky bucket of exact fractions admits', () => {
  const arrivals = fc.array(fc.record({ agent: agents, waitMs: fc.nat(400) }), { maxLength: 120 });
  const property = fc.property(
    fc.integer({ min: 1, max: 8 }),
    fc.integer({ min: 1, max: 6 }),
    arrivals,
    (n, burst, calls) => {
      // Rates that divide a second into whole microseconds, so that both models speak of the same interval.
      const perSecond = [1, 2, 4, 5, 8, 10, 16, 20][n - 1] ?? 1;
      const text = `rates:\n  - { subject: "agent:*", resource: "*", limit: ${perSecond}/s, burst: ${burst} }\n`;
      const clock = new SetClock();
      const control = rateControl(loadLimits('l.yaml', text), createRateState(), clock);
      const levels = new Map<string, { level: number; atMs: number }>();
      for (const { agent, waitMs } of calls) {
        clock.passMs(waitMs);
        const atMs = clock.monotonicMs();
        const bucket = levels.get(agent) ?? { level: 0, atMs };
        // In thousandths of a call, so that the model is exact too.
        const level = Math.max(0, bucket.level - (atMs - bucket.atMs) * perSecond);
        const isAdmitted = level + 1_000 <= burst * 1_000;
        levels.set(agent, { level: isAdmitted ? level + 1_000 : level, atMs });
        expect(runControl(control, callOf({ agent })).verdict.effect).toBe(isAdmitted ? 'allow' : 'deny');
      }
    },
  );
  fc.assert(property, { numRuns: 60 });
});

test('no interval has more admitted calls than its length and the burst allow, whatever is evicted', () => {
  const steps = fc.array(fc.record({ agent: agents, waitUs: fc.nat(900_000) }), { maxLength: 150 });
  const property = fc.property(
    fc.integer({ min: 1, max: 13 }),
    fc.integer({ min: 1, max: 4 }),
    steps,
    (perSecond, burst, calls) => {
      const text = `rates:\n  - { subject: "agent:*", resource: "*", limit: ${perSecond}/s, burst: ${burst} }\n`;
      const clock = new SetClock();
      const control = rateControl(loadLimits('l.yaml', text), createRateState({ capacity: 2 }), clock);
      const admitted = new Map<string, number[]>();
      for (const { agent, waitUs } of calls) {
        clock.passMs(waitUs / 1_000);
        let isAdmitted = false;
        try {
          isAdmitted = runControl(control, callOf({ agent })).verdict.effect === 'allow';
        } catch {
          // A table that is full of live counters refuses.
        }
        if (!isAdmitted) continue;
        const times = admitted.get(agent) ?? [];
        times.push(clock.monotonicMs());
        admitted.set(agent, times);
        for (let first = 0; first < times.length; first += 1) {
          const elapsedMs = (times.at(-1) ?? 0) - (times[first] ?? 0);
          // A microsecond of rounding of the clock, no more.
          expect(times.length - first).toBeLessThanOrEqual(burst + ((elapsedMs + 0.002) * perSecond) / 1_000);
        }
      }
    },
  );
  fc.assert(property, { numRuns: 60 });
});

const outcomes: fc.Arbitrary<Outcome> = fc.constantFrom(
  COMPLETED,
  refusedAt('ledger'),
  refusedAt('validate-output'),
  failedWith('upstream-timeout'),
  failedWith('upstream-unavailable'),
);
const KEPT = new Set<Outcome['kind']>(['completed']);
const isKept = (outcome: Outcome): boolean =>
  KEPT.has(outcome.kind) ||
  (outcome.kind === 'failed' && outcome.inDoubt) ||
  (outcome.kind === 'refused' && outcome.stage === 'validate-output');

type Begun = {
  readonly call: ReturnType<typeof callOf>;
  readonly isAdmitted: boolean;
  readonly settle: (outcome: Outcome) => void;
};

const acts = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('begin' as const), costNanoUsd: fc.nat(400), isCrm: fc.boolean(), agent: agents }),
    fc.record({ kind: fc.constant('end' as const), which: fc.nat(30), outcome: outcomes }),
  ),
  { maxLength: 120 },
);

test('a budget conserves calls and money, and never exceeds its hard amounts, under any interleaving', () => {
  const text = `budgets:
  - { subject: "*", resource: "tool:*", window: month, hard: { calls: 12, usd: "0.000002" } }
  - { subject: "role:all", resource: "tool:crm/*", window: month, hard: { usd: "0.000003" } }
`;
  const property = fc.property(acts, (steps) => {
    const store = rowStore();
    const clock = new SetClock();
    const state = createBudgetState({ store, clock, onClockJump: () => {} });
    const control = budgetControl(loadLimits('l.yaml', text), state, () => {});
    const open: Begun[] = [];
    const held = new Map<string, { calls: number; nanoUsd: number; crmNanoUsd: number }>();
    const add = (call: Begun['call'], sign: 1 | -1): void => {
      const sums = held.get(call.principal.id) ?? { calls: 0, nanoUsd: 0, crmNanoUsd: 0 };
      const cost = call.target.kind === 'tool' ? call.target.costNanoUsd * sign : 0;
      const isCrm = call.target.id.startsWith('tool:crm/');
      held.set(call.principal.id, {
        calls: sums.calls + sign,
        nanoUsd: sums.nanoUsd + cost,
        crmNanoUsd: sums.crmNanoUsd + (isCrm ? cost : 0),
      });
    };
    for (const step of steps) {
      clock.passMs(7);
      if (step.kind === 'begin') {
        const tool = step.isCrm ? 'crm/refund' : 'files/read';
        const call = callOf({ agent: step.agent, groups: ['role:all'], costNanoUsd: step.costNanoUsd, tool });
        const { facts, verdict } = runControl(control, call);
        const isAdmitted = verdict.effect === 'allow';
        if (isAdmitted) add(call, 1);
        open.push({ call, isAdmitted, settle: (outcome) => control.settle?.({ call }, facts, outcome) });
      } else {
        const begun = open[step.which % Math.max(open.length, 1)];
        if (begun === undefined) continue;
        begun.settle(step.outcome);
        begun.settle(refusedAt('ledger'));
        open.splice(open.indexOf(begun), 1);
        if (begun.isAdmitted && !isKept(step.outcome)) add(begun.call, -1);
      }
      let crm = 0;
      for (const [agent, sums] of held) {
        expect(sums.calls).toBeLessThanOrEqual(12);
        expect(sums.nanoUsd).toBeLessThanOrEqual(2_000);
        const row = [...store.rows.values()].find(({ key }) => key.endsWith(` ${agent}`));
        expect(row).toMatchObject({ usedCalls: sums.calls, usedNanoUsd: sums.nanoUsd });
        crm += sums.crmNanoUsd;
      }
      expect(crm).toBeLessThanOrEqual(3_000);
      const shared = [...store.rows.values()].find(({ key }) => key.endsWith(' role:all'));
      expect(shared?.usedNanoUsd ?? 0).toBe(crm);
    }
  });
  fc.assert(property, { numRuns: 60 });
});

test('no more calls are in flight than a concurrency limit admits, and every slot is released', () => {
  const text = `concurrency:
  - { subject: "agent:*", resource: "*", limit: 3 }
  - { subject: "role:all", resource: "*", limit: 5 }
`;
  const property = fc.property(acts, (steps) => {
    const state = createConcurrencyState();
    const rules = loadLimits('l.yaml', text);
    const control = concurrencyControl(rules, state);
    const open: Begun[] = [];
    const countOf = (agent?: string): number =>
      open.filter(({ call, isAdmitted }) => isAdmitted && (agent === undefined || call.principal.id === agent)).length;
    for (const step of steps) {
      if (step.kind === 'begin') {
        const call = callOf({ agent: step.agent, groups: ['role:all'] });
        const { facts, verdict } = runControl(control, call);
        const isRoom = countOf(call.principal.id) < 3 && countOf() < 5;
        expect(verdict.effect).toBe(isRoom ? 'allow' : 'deny');
        open.push({ call, isAdmitted: isRoom, settle: (outcome) => control.settle?.({ call }, facts, outcome) });
      } else {
        const begun = open.splice(step.which % Math.max(open.length, 1), 1)[0];
        begun?.settle(step.outcome);
      }
    }
    for (const begun of open) begun.settle(COMPLETED);
    const keys = rules.match(callOf({ agent: 'a', groups: ['role:all'] })).concurrency.map(({ key }) => key);
    expect(keys.map((key) => state.inUse(key))).toEqual([0, 0]);
  });
  fc.assert(property, { numRuns: 60 });
});

test('a calendar window contains its time, and months follow the Gregorian calendar', () => {
  const times = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2400, 0, 1) });
  const property = fc.property(times, fc.constantFrom(...CALENDAR_WINDOWS), (ms, window) => {
    const startMs = windowStartMs(window, ms);
    const endMs = windowEndMs(window, startMs);
    expect(startMs <= ms && ms < endMs).toBe(true);
    expect(windowStartMs(window, endMs)).toBe(endMs);
    expect(windowStartMs(window, endMs - 1)).toBe(startMs);
    const date = new Date(ms);
    if (window === 'month') expect(startMs).toBe(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1));
    if (window === 'week') expect(new Date(startMs).getUTCDay()).toBe(1);
  });
  fc.assert(property, { numRuns: 500 });
});

test('the facts of any call give the same decision again', () => {
  const text = `rates:\n  - { subject: "agent:*", resource: "*", limit: 2/s, burst: 2 }
budgets:\n  - { subject: "*", resource: "*", window: hour, hard: { calls: 6 } }\n`;
  const property = fc.property(
    fc.array(fc.record({ agent: agents, waitMs: fc.nat(900) }), { maxLength: 60 }),
    (calls) => {
      const clock = new SetClock();
      const rules = loadLimits('l.yaml', text);
      const rate = rateControl(rules, createRateState(), clock);
      const state = createBudgetState({ store: rowStore(), clock, onClockJump: () => {} });
      const budget = budgetControl(rules, state, () => {});
      const recorded = calls.map(({ agent, waitMs }) => {
        clock.passMs(waitMs);
        const call = callOf({ agent });
        return { call, rate: runControl(rate, call), budget: runControl(budget, call) };
      });
      const again = loadLimits('l.yaml', text);
      const rateAgain = rateControl(again, createRateState(), clock);
      const budgetAgain = budgetControl(again, state, () => {});
      for (const { call, ...first } of recorded) {
        // As the ledger holds them: JSON and back.
        expect(rateAgain.decide({ call }, JSON.parse(JSON.stringify(first.rate.facts)))).toEqual(first.rate.verdict);
        expect(budgetAgain.decide({ call }, JSON.parse(JSON.stringify(first.budget.facts)))).toEqual(
          first.budget.verdict,
        );
      }
    },
  );
  fc.assert(property, { numRuns: 40 });
});
