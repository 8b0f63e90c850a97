import { expect, test } from 'vitest';
import { budgetControl } from '../../../src/limits/budget/control.ts';
import { createBudgetState } from '../../../src/limits/budget/state.ts';
import { concurrencyControl, createConcurrencyState } from '../../../src/limits/concurrency.ts';
import { loadLimits } from '../../../src/limits/load.ts';
import { createRateState, rateControl } from '../../../src/limits/rate.ts';
import { budgetStatus, liveStatus } from '../../../src/limits/status.ts';
import { COMPLETED, callOf, rowStore, SetClock, walk } from './limited-call.ts';

const LIMITS = `rates:
  - { subject: "agent:*", resource: "tool:*", limit: 60/m, burst: 3 }
concurrency:
  - { subject: "role:support", resource: "tool:crm/*", limit: 2 }
budgets:
  - { subject: "agent:*", resource: "tool:*", window: month, hard: { calls: 4, usd: "1.00" }, soft: 50% }
`;
const DEMO = ['agent:demo', 'role:support'];
const OTHER = ['agent:other', 'role:support'];

function counted() {
  const clock = new SetClock();
  const rates = createRateState();
  const concurrency = createConcurrencyState();
  const budgets = createBudgetState({ store: rowStore(), clock, onClockJump: () => {} });
  const rules = loadLimits('policies/limits.yaml', LIMITS);
  const live = (askers: readonly (readonly string[])[]) =>
    liveStatus(rules, askers, { rates, concurrency, monotonicMs: clock.monotonicMs() });
  const controls = {
    rate: rateControl(rules, rates, clock),
    slots: concurrencyControl(rules, concurrency),
    budget: budgetControl(rules, budgets, () => {}),
  };
  return { clock, rules, budgets, live, ...controls };
}

const call = () => callOf({ groups: ['role:support'], costNanoUsd: 250_000_000 });

test('at rest everything is left, and a counter that members share is shown once', () => {
  const { live, rules, budgets } = counted();
  const place = { resource: 'tool:*', action: '*', rule: 'limits.yaml:2' };
  const rate = { kind: 'rate', ...place, limit: '60/m', burst: 3, used: 0, left: 3, nextInMs: 0 };
  const slots = {
    kind: 'concurrency',
    rule: 'limits.yaml:4',
    resource: 'tool:crm/*',
    action: '*',
    limit: 2,
    used: 0,
    left: 2,
  };
  expect(live([DEMO, OTHER])).toEqual([
    { ...rate, subject: 'agent:demo' },
    { ...rate, subject: 'agent:other' },
    { ...slots, subject: 'role:support' },
  ]);
  expect(budgetStatus(rules, [DEMO], budgets)).toEqual([
    {
      ...{ kind: 'budget', rule: 'limits.yaml:6', subject: 'agent:demo', resource: 'tool:*', action: '*' },
      ...{ window: 'month', endsAt: '2026-04-01T00:00:00.000Z', limit: { calls: 4, usd: '1.00' } },
      ...{ used: { calls: 0, usd: '0.00' }, reserved: { calls: 0, usd: '0.00' }, left: { calls: 4, usd: '1.00' } },
      ...{ softPercent: 50, softCrossed: false },
    },
  ]);
});

test('a rate says what is left of its burst and when the next call is admitted, just as the rate itself does', () => {
  const { rate, live, clock } = counted();
  const left = () =>
    live([DEMO]).map((status) => [status.used, status.left, 'nextInMs' in status && status.nextInMs])[0];
  walk(rate, call());
  expect(left()).toEqual([1, 2, 0]);
  walk(rate, call());
  walk(rate, call());
  expect(left()).toEqual([3, 0, 1_000]);
  clock.passMs(400);
  expect(left()).toEqual([3, 0, 600]);
  expect(walk(rate, call()).verdict).toMatchObject({ effect: 'deny', retryAfterMs: 600 });
  clock.passMs(600);
  expect(left()).toEqual([2, 1, 0]);
});

test('a slot is used while its call is under way', () => {
  const { slots, live } = counted();
  const one = call();
  const { facts } = walk(slots, one);
  expect(live([DEMO]).at(-1)).toMatchObject({ kind: 'concurrency', used: 1, left: 1 });
  slots.settle?.({ call: one }, facts, COMPLETED);
  expect(live([DEMO]).at(-1)).toMatchObject({ kind: 'concurrency', used: 0, left: 2 });
});

test('a budget tells what is reserved from what is charged, and forgets both when its window ends', () => {
  const { budget, budgets, rules, clock } = counted();
  const charged = call();
  budget.settle?.({ call: charged }, walk(budget, charged).facts, COMPLETED);
  const underWay = call();
  const { facts } = walk(budget, underWay);
  const stands = () => budgetStatus(rules, [DEMO], budgets)[0];
  expect(stands()).toMatchObject({
    used: { calls: 2, usd: '0.50' },
    reserved: { calls: 1, usd: '0.25' },
    left: { calls: 2, usd: '0.50' },
    softCrossed: false,
  });
  budget.settle?.({ call: underWay }, facts, COMPLETED);
  expect(stands()).toMatchObject({ reserved: { calls: 0, usd: '0.00' }, softCrossed: true });
  clock.passMs(31 * 86_400_000);
  expect(stands()).toMatchObject({
    used: { calls: 0 },
    left: { calls: 4 },
    softCrossed: false,
    endsAt: '2026-05-01T00:00:00.000Z',
  });
});
