import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../../src/domain/outcome.ts';
import { budgetControl } from '../../../src/limits/budget/control.ts';
import { type BudgetState, createBudgetState, type SoftLimitWarning } from '../../../src/limits/budget/state.ts';
import type { BudgetStore } from '../../../src/limits/budget/store.ts';
import { loadLimits } from '../../../src/limits/load.ts';
import {
  admittedOf,
  COMPLETED,
  callOf,
  failedWith,
  refusedAt,
  rowStore,
  runControl,
  SetClock,
} from './limited-call.ts';

interface Parts {
  readonly store?: BudgetStore;
  readonly clock?: SetClock;
  readonly state?: BudgetState;
  readonly capacity?: number;
}

function governed(text: string, parts: Parts = {}) {
  const { store = rowStore(), clock = new SetClock(), ...more } = parts;
  const jumps: number[] = [];
  const warnings: SoftLimitWarning[] = [];
  const onClockJump = ({ offsetMs }: { offsetMs: number }): void => void jumps.push(offsetMs);
  const state = parts.state ?? createBudgetState({ store, clock, onClockJump, ...more });
  const rules = loadLimits('policies/limits.yaml', text);
  const control = budgetControl(rules, state, (warning) => void warnings.push(warning));
  return { store, clock, state, rules, control, jumps, warnings };
}

/** Runs and settles `count` calls one after the other. */
function complete({ control }: ReturnType<typeof governed>, count: number, make = () => callOf()): void {
  for (let index = 0; index < count; index += 1) {
    const call = make();
    control.settle?.({ call }, runControl(control, call).facts, COMPLETED);
  }
}

const HUNDRED = 'budgets:\n  - { subject: "agent:*", resource: "tool:*", window: day, hard: { calls: 100 } }\n';
const ONE_DOLLAR = 'budgets:\n  - { subject: "agent:*", resource: "tool:*", window: day, hard: { usd: "1.00" } }\n';
const DIME = 100_000_000;

describe('a budget', () => {
  test('of 100 calls admits exactly 100 of 1,000 concurrent calls', () => {
    const { control } = governed(HUNDRED);
    expect(admittedOf(control, 1_000, callOf)).toBe(100);
  });

  test('refuses with its line, the reset time and the milliseconds until then', () => {
    const { control } = governed(HUNDRED);
    admittedOf(control, 100, callOf);
    expect(runControl(control, callOf()).verdict).toEqual({
      effect: 'deny',
      reason: 'budget-exhausted',
      message: 'daily budget of 100 calls is exhausted; resets 2026-03-15T00:00Z (in 12 hours)',
      rule: 'limits.yaml:2',
      retryAfterMs: 43_200_000,
    });
  });

  test('in dollars names the rest and the cost when the rest does not cover the call', () => {
    const { control } = governed(ONE_DOLLAR);
    runControl(control, callOf({ costNanoUsd: 7 * DIME }));
    const { verdict } = runControl(control, callOf({ costNanoUsd: 4 * DIME }));
    expect(verdict).toMatchObject({
      message: expect.stringMatching(/ budget of \$1\.00 has \$0\.30 left, and this call costs \$0\.40; resets /),
    });
    runControl(control, callOf({ costNanoUsd: 3 * DIME }));
    expect(runControl(control, callOf({ costNanoUsd: DIME })).verdict).toMatchObject({
      message: expect.stringContaining('budget of $1.00 is exhausted; resets '),
    });
  });

  test('of a dollar covers ten calls of a dime and not an eleventh', () => {
    const { control } = governed(ONE_DOLLAR);
    expect(admittedOf(control, 20, () => callOf({ costNanoUsd: DIME }))).toBe(10);
  });

  test('in dollars still covers a free call when it is exhausted', () => {
    const { control } = governed(ONE_DOLLAR);
    admittedOf(control, 10, () => callOf({ costNanoUsd: DIME }));
    expect(runControl(control, callOf({ costNanoUsd: 0 })).verdict.effect).toBe('allow');
  });

  test('adds three dimes to exactly 300000000 nano-dollars, unlike a float', () => {
    const { control } = governed(ONE_DOLLAR);
    admittedOf(control, 3, () => callOf({ costNanoUsd: DIME }));
    expect(runControl(control, callOf()).facts.rules[0]?.usedNanoUsd).toBe(300_000_000);
  });

  test('resets with its window', () => {
    const { control, clock } = governed(HUNDRED);
    admittedOf(control, 100, callOf);
    clock.passMs(43_199_999);
    expect(runControl(control, callOf()).verdict.effect).toBe('deny');
    clock.passMs(1);
    expect(runControl(control, callOf()).verdict.effect).toBe('allow');
  });

  test('does not reset when the calendar clock jumps, and reports each jump once', () => {
    const { control, clock, jumps } = governed(HUNDRED.replace('day', 'hour'));
    admittedOf(control, 100, callOf);
    clock.jumpMs(3_600_000);
    expect(admittedOf(control, 50, callOf)).toBe(0);
    clock.jumpMs(-7_200_000);
    expect(admittedOf(control, 50, callOf)).toBe(0);
    expect(jumps).toEqual([3_600_000, -3_600_000]);
  });
});

describe('settling', () => {
  const admittedAfter = (outcome: Outcome): number => {
    const { control } = governed(HUNDRED);
    const call = callOf();
    const { facts } = runControl(control, call);
    control.settle?.({ call }, facts, outcome);
    return admittedOf(control, 200, callOf);
  };

  test('charges a completed call', () => {
    expect(admittedAfter(COMPLETED)).toBe(99);
  });

  test('charges a call whose result was withheld', () => {
    expect(admittedAfter(refusedAt('validate-output'))).toBe(99);
  });

  test('charges a call in doubt', () => {
    expect(admittedAfter(failedWith('upstream-timeout'))).toBe(99);
  });

  test('charges a call that the tool server answered with an error', () => {
    expect(admittedAfter(failedWith('upstream-error'))).toBe(99);
  });

  test('refunds a call whose record could not be written', () => {
    expect(admittedAfter(refusedAt('ledger'))).toBe(100);
  });

  test('refunds a call whose tool server was unreachable', () => {
    expect(admittedAfter(failedWith('upstream-unavailable'))).toBe(100);
  });

  test('refunds once when called twice', () => {
    const { control } = governed(HUNDRED);
    admittedOf(control, 50, callOf);
    const call = callOf();
    const { facts } = runControl(control, call);
    control.settle?.({ call }, facts, refusedAt('ledger'));
    control.settle?.({ call }, facts, refusedAt('ledger'));
    expect(admittedOf(control, 200, callOf)).toBe(50);
  });

  test('refunds nothing for a call that the budget refused', () => {
    const { control } = governed(HUNDRED);
    admittedOf(control, 100, callOf);
    const call = callOf();
    control.settle?.({ call }, runControl(control, call).facts, refusedAt('authorize'));
    expect(admittedOf(control, 10, callOf)).toBe(0);
  });

  test('refunds nothing into the next window', () => {
    const parts = governed(HUNDRED);
    const call = callOf();
    const { facts } = runControl(parts.control, call);
    parts.clock.passMs(86_400_000);
    admittedOf(parts.control, 100, callOf);
    parts.control.settle?.({ call }, facts, refusedAt('ledger'));
    expect(runControl(parts.control, callOf()).verdict.effect).toBe('deny');
    expect(parts.store.load()[0]?.usedCalls).toBe(100);
  });
});

describe('several budgets', () => {
  const TWO = `budgets:
  - { subject: "agent:*", resource: "tool:*", window: day, hard: { calls: 10 } }
  - { subject: "agent:*", resource: "tool:crm/*", window: hour, hard: { calls: 3 } }
`;

  test('reserve on none when one refuses', () => {
    const { control } = governed(TWO);
    expect(admittedOf(control, 20, () => callOf({ tool: 'crm/refund' }))).toBe(3);
    expect(admittedOf(control, 20, () => callOf({ tool: 'files/read' }))).toBe(7);
  });

  test('report the exhausted one whose window ends last', () => {
    const { control } = governed(TWO);
    admittedOf(control, 3, () => callOf({ tool: 'crm/refund' }));
    admittedOf(control, 7, () => callOf({ tool: 'files/read' }));
    expect(runControl(control, callOf({ tool: 'crm/refund' })).verdict).toMatchObject({ rule: 'limits.yaml:2' });
  });
});

describe('a soft limit', () => {
  test('warns when a charge crosses its share, once in a window', () => {
    const parts = governed(HUNDRED);
    complete(parts, 79);
    expect(parts.warnings).toEqual([]);
    complete(parts, 21);
    expect(parts.warnings).toMatchObject([
      { rule: 'limits.yaml:2', subject: 'agent:demo', window: 'day', usedCalls: 80, usedNanoUsd: 0, sharePercent: 80 },
    ]);
  });

  test('warns again in the next window', () => {
    const parts = governed(HUNDRED);
    complete(parts, 100);
    parts.clock.passMs(86_400_000);
    complete(parts, 100);
    expect(parts.warnings).toHaveLength(2);
  });

  test('does not count reservations, which may be refunded', () => {
    const parts = governed(HUNDRED);
    admittedOf(parts.control, 90, callOf);
    complete(parts, 1);
    expect(parts.warnings).toEqual([]);
  });

  test('is crossed by money as well as by calls', () => {
    const parts = governed(ONE_DOLLAR);
    complete(parts, 8, () => callOf({ costNanoUsd: DIME }));
    expect(parts.warnings).toMatchObject([{ usedCalls: 8, usedNanoUsd: 800_000_000 }]);
  });

  test('does not warn a second time after a restart within the window', () => {
    const store = rowStore();
    const before = governed(HUNDRED, { store });
    complete(before, 85);
    const after = governed(HUNDRED, { store, clock: before.clock });
    complete(after, 10);
    expect([before.warnings.length, after.warnings.length]).toEqual([1, 0]);
  });
});

describe('after a restart', () => {
  test('charges and calls in doubt stay used', () => {
    const before = governed(HUNDRED);
    complete(before, 30);
    admittedOf(before.control, 20, callOf);
    const { control } = governed(HUNDRED, { store: before.store, clock: before.clock });
    expect(admittedOf(control, 200, callOf)).toBe(50);
  });

  test('a calendar clock set back does not reopen a window', () => {
    const before = governed(HUNDRED.replace('day', 'hour'));
    admittedOf(before.control, 100, callOf);
    const clock = new SetClock(before.clock.wallMs() - 3_600_000);
    const after = governed(HUNDRED.replace('day', 'hour'), { store: before.store, clock });
    expect(admittedOf(after.control, 10, callOf)).toBe(0);
    expect(after.jumps).toEqual([-3_600_000]);
  });
});

describe('a reload', () => {
  test('keeps the used amounts when the limits change', () => {
    const before = governed(HUNDRED);
    admittedOf(before.control, 100, callOf);
    const { control } = governed(HUNDRED.replace('100', '120'), { state: before.state });
    expect(admittedOf(control, 200, callOf)).toBe(20);
  });

  test('keeps the money that was used when a budget in calls becomes one in dollars', () => {
    const before = governed(HUNDRED);
    admittedOf(before.control, 4, () => callOf({ costNanoUsd: DIME }));
    const { control } = governed(ONE_DOLLAR, { state: before.state });
    expect(admittedOf(control, 20, () => callOf({ costNanoUsd: DIME }))).toBe(6);
  });
});

describe('the state of budgets', () => {
  test('never evicts a budget whose window is current: the call fails', () => {
    const { control, clock } = governed(HUNDRED, { capacity: 1 });
    admittedOf(control, 100, () => callOf({ agent: 'a' }));
    expect(() => runControl(control, callOf({ agent: 'b' }))).toThrow('all 1 budget counters are in use');
    expect(runControl(control, callOf({ agent: 'a' })).verdict.effect).toBe('deny');
    clock.passMs(43_200_000);
    expect(runControl(control, callOf({ agent: 'b' })).verdict.effect).toBe('allow');
  });

  test('makes room as soon as the shortest window is over', () => {
    const text = `budgets:
  - { subject: "agent:slow", resource: "*", window: month, hard: { calls: 9 } }
  - { subject: "agent:q*", resource: "*", window: second, hard: { calls: 9 } }
`;
    const { control, clock } = governed(text, { capacity: 2 });
    runControl(control, callOf({ agent: 'slow' }));
    for (const agent of ['q1', 'q2', 'q3']) {
      expect(runControl(control, callOf({ agent })).verdict.effect).toBe('allow');
      clock.passMs(1_000);
    }
  });

  test('reserves nothing when the store fails', () => {
    const rows = rowStore();
    let isClosed = true;
    const store: BudgetStore = {
      load: () => rows.load(),
      put: (row) => {
        if (isClosed) throw new Error('closed');
        rows.put(row);
      },
    };
    const { control } = governed(HUNDRED, { store });
    expect(() => runControl(control, callOf())).toThrow('closed');
    isClosed = false;
    expect(admittedOf(control, 200, callOf)).toBe(100);
  });

  test('refuses a second reservation of one call', () => {
    const { control } = governed(HUNDRED);
    runControl(control, callOf({ id: 'same' }));
    expect(() => runControl(control, callOf({ id: 'same' }))).toThrow(/already reserved/);
  });
});

describe('the facts of a budget', () => {
  test('are the amounts used before the call, its cost and the time', () => {
    const { control, rules, clock } = governed(ONE_DOLLAR);
    runControl(control, callOf({ costNanoUsd: DIME }));
    expect(runControl(control, callOf({ costNanoUsd: DIME })).facts).toEqual({
      nowMs: clock.wallMs(),
      costNanoUsd: 100_000_000,
      rules: [
        {
          id: rules.budgets[0]?.id,
          at: 'limits.yaml:2',
          subject: 'agent:demo',
          windowStartMs: Date.UTC(2026, 2, 14),
          usedCalls: 1,
          usedNanoUsd: 100_000_000,
        },
      ],
    });
  });

  test('decide without the counters', () => {
    const { control } = governed(HUNDRED);
    admittedOf(control, 100, callOf);
    const call = callOf();
    const { facts, verdict } = runControl(control, call);
    expect(governed(HUNDRED).control.decide({ call }, facts)).toEqual(verdict);
  });
});
