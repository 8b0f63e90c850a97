import { expect, test } from 'vitest';
import { budgetControl } from '../../../src/limits/budget/control.ts';
import { createBudgetState } from '../../../src/limits/budget/state.ts';
import { concurrencyControl, createConcurrencyState } from '../../../src/limits/concurrency.ts';
import { loadLimits } from '../../../src/limits/load.ts';
import { createRateState, rateControl } from '../../../src/limits/rate.ts';
import { budgetStatus, liveStatus } from '../../../src/limits/status.ts';
import { COMPLETED, callOf, rowStore, runControl, SetClock } from './limited-call.ts';

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
  const live = (callers: readonly (readonly string[])[]) =>
    liveStatus(rules, callers, { rates, concurrency, monotonicMs: clock.monotonicMs() });
  const controls = {
    rate: rateControl(rules, rates, clock),
    slots: concurrencyControl(rules, concurrency),
    budget: budgetControl(rules, budgets, () => {}),
  };
  return { clock, rules, budgets, live, ...controls };
}

const call = () => callOf({ groups: ['role:support'], costNanoUsd: 250_000_000 });

test('at rest, everything is left, and a shared counter is shown once', () => {
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

test('a rate shows the rest of its burst and when the next call is admitted, as the control decides', () => {
  const { rate, live, clock } = counted();
  const left = () =>
    live([DEMO]).map((status) => [status.used, status.left, 'nextInMs' in status && status.nextInMs])[0];
  runControl(rate, call());
  expect(left()).toEqual([1, 2, 0]);
  runControl(rate, call());
  runControl(rate, call());
  expect(left()).toEqual([3, 0, 1_000]);
  clock.passMs(400);
  expect(left()).toEqual([3, 0, 600]);
  expect(runControl(rate, call()).verdict).toMatchObject({ effect: 'deny', retryAfterMs: 600 });
  clock.passMs(600);
  expect(left()).toEqual([2, 1, 0]);
});

test('a slot is in use while its call is in flight', () => {
  const { slots, live } = counted();
  const one = call();
  const { facts } = runControl(slots, one);
  expect(live([DEMO]).at(-1)).toMatchObject({ kind: 'concurrency', used: 1, left: 1 });
  slots.settle?.({ call: one }, facts, COMPLETED);
  expect(live([DEMO]).at(-1)).toMatchObject({ kind: 'concurrency', used: 0, left: 2 });
});

test('a budget separates reserved from charged amounts, and resets both with its window', () => {
  const { budget, budgets, rules, clock } = counted();
  const charged = call();
  budget.settle?.({ call: charged }, runControl(budget, charged).facts, COMPLETED);
  const inFlight = call();
  const { facts } = runControl(budget, inFlight);
  const status = () => budgetStatus(rules, [DEMO], budgets)[0];
  expect(status()).toMatchObject({
    used: { calls: 2, usd: '0.50' },
    reserved: { calls: 1, usd: '0.25' },
    left: { calls: 2, usd: '0.50' },
    softCrossed: false,
  });
  budget.settle?.({ call: inFlight }, facts, COMPLETED);
  expect(status()).toMatchObject({ reserved: { calls: 0, usd: '0.00' }, softCrossed: true });
  clock.passMs(31 * 86_400_000);
  expect(status()).toMatchObject({
    used: { calls: 0 },
    left: { calls: 4 },
    softCrossed: false,
    endsAt: '2026-05-01T00:00:00.000Z',
  });
});
