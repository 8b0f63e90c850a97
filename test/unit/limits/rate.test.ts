import { describe, expect, test } from 'vitest';
import { loadLimits } from '../../../src/limits/load.ts';
import { createRateState, rateControl } from '../../../src/limits/rate.ts';
import { admittedOf, callOf, runControl, SetClock } from './limited-call.ts';

const ONE = 'rates:\n  - { subject: "agent:*", resource: "tool:*", limit: 600/m, burst: 5 }\n';

function governed(text: string, state = createRateState()) {
  const clock = new SetClock();
  const rules = loadLimits('policies/limits.yaml', text);
  return { clock, rules, state, control: rateControl(rules, state, clock) };
}

describe('a rate', () => {
  test('admits its burst at once and refuses the next call', () => {
    const { control } = governed(ONE);
    expect(admittedOf(control, 20, callOf)).toBe(5);
  });

  test('refuses with its line and the wait', () => {
    const { control } = governed(ONE);
    admittedOf(control, 5, callOf);
    expect(runControl(control, callOf()).verdict).toEqual({
      effect: 'deny',
      reason: 'rate-exceeded',
      message: 'the rate of 600/m calls (burst 5) is used up; try again in 1 s',
      rule: 'limits.yaml:2',
      retryAfterMs: 100,
    });
  });

  test('admits a call after the stated wait, and none before', () => {
    const { control, clock } = governed(ONE);
    admittedOf(control, 5, callOf);
    clock.passMs(99);
    expect(runControl(control, callOf()).verdict.effect).toBe('deny');
    clock.passMs(1);
    expect(runControl(control, callOf()).verdict.effect).toBe('allow');
  });

  test('does not charge refused calls, so an agent that retries too fast is not locked out', () => {
    const { control, clock } = governed(ONE);
    admittedOf(control, 10_000, callOf);
    clock.passMs(100);
    expect(runControl(control, callOf()).verdict.effect).toBe('allow');
  });

  test('counts each agent separately', () => {
    const { control } = governed(ONE);
    admittedOf(control, 5, () => callOf({ agent: 'a' }));
    expect(runControl(control, callOf({ agent: 'b' })).verdict.effect).toBe('allow');
  });

  test('of a role is shared by its members', () => {
    const { control } = governed('rates:\n  - { subject: "role:x", resource: "*", limit: 1/s, burst: 2 }\n');
    admittedOf(control, 2, () => callOf({ agent: 'a', groups: ['role:x'] }));
    expect(runControl(control, callOf({ agent: 'b', groups: ['role:x'] })).verdict.effect).toBe('deny');
  });

  test('gives no extra calls when the calendar clock jumps an hour ahead or back', () => {
    const { control, clock } = governed(ONE);
    admittedOf(control, 5, callOf);
    clock.jumpMs(3_600_000);
    expect(runControl(control, callOf()).verdict.effect).toBe('deny');
    clock.jumpMs(-7_200_000);
    expect(runControl(control, callOf()).verdict.effect).toBe('deny');
  });

  test('counts calls to unknown names', () => {
    const { control } = governed(ONE);
    const unknown = () => ({ ...callOf(), target: { kind: 'unknown', id: 'tool:unknown', exposedName: 'x' } as const });
    expect(admittedOf(control, 9, unknown)).toBe(5);
  });
});

describe('several rates', () => {
  const TWO = `rates:
  - { subject: "agent:*", resource: "tool:*", limit: 1/s, burst: 3 }
  - { subject: "agent:*", resource: "tool:crm/*", limit: 1/m, burst: 1 }
`;

  test('refuse when one of them refuses, and name the one with the longest wait', () => {
    const { control } = governed(TWO);
    runControl(control, callOf());
    expect(runControl(control, callOf()).verdict).toMatchObject({ rule: 'limits.yaml:3', retryAfterMs: 60_000 });
  });

  test('name the one with the longest wait also when it is first', () => {
    const [head = '', first = '', second = ''] = TWO.replace('burst: 3', 'burst: 1').split('\n');
    const { control } = governed([head, second, first, ''].join('\n'));
    runControl(control, callOf());
    expect(runControl(control, callOf()).verdict).toMatchObject({ rule: 'limits.yaml:2', retryAfterMs: 60_000 });
  });

  test('charge none when one refuses', () => {
    const { control } = governed(TWO);
    admittedOf(control, 10, () => callOf({ tool: 'crm/refund' }));
    expect(admittedOf(control, 10, () => callOf({ tool: 'files/read' }))).toBe(2);
  });
});

describe('the facts of a rate', () => {
  test('hold how far ahead of the sustained rate each counter was', () => {
    const { control, rules } = governed(ONE);
    runControl(control, callOf());
    const { facts } = runControl(control, callOf());
    expect(facts).toEqual({
      rules: [{ id: rules.rates[0]?.id, at: 'limits.yaml:2', subject: 'agent:demo', aheadUs: 100_000 }],
    });
  });

  test('give the same verdict after the counters have changed', () => {
    const { control, clock } = governed(ONE);
    admittedOf(control, 5, callOf);
    const call = callOf();
    const { facts, verdict } = runControl(control, call);
    clock.passMs(60_000);
    expect(control.decide({ call }, facts)).toEqual(verdict);
  });

  test('fail to decide when they hold a rule that does not apply', () => {
    const { control } = governed(ONE);
    const other = { id: 'sha256:0', at: 'limits.yaml:9', subject: 'agent:demo', aheadUs: 0 };
    const call = callOf();
    const { facts } = runControl(control, call);
    expect(() => control.decide({ call }, { rules: [...facts.rules, other] })).toThrow(/does not apply to this call/);
  });

  test('fail to decide when a rule that applies is missing', () => {
    const { control } = governed(ONE);
    expect(() => control.decide({ call: callOf() }, { rules: [] })).toThrow(/lack the count of limits.yaml:2/);
  });

  test('are found by rule when rows are in another order', () => {
    const a = '  - { subject: "agent:*", resource: "tool:*", limit: 1/s, burst: 3 }\n';
    const b = '  - { subject: "agent:*", resource: "tool:crm/*", limit: 1/m, burst: 1 }\n';
    const call = callOf();
    const { facts } = runControl(governed(`rates:\n${a}${b}`).control, call);
    expect(governed(`rates:\n${b}${a}`).control.decide({ call }, facts).effect).toBe('allow');
  });
});

describe('the counters of rates', () => {
  test('are kept over a reload that changes the limits', () => {
    const { control, state, clock } = governed(ONE);
    admittedOf(control, 5, callOf);
    const reloaded = rateControl(loadLimits('limits.yaml', ONE.replace('burst: 5', 'burst: 6')), state, clock);
    expect(admittedOf(reloaded, 10, callOf)).toBe(1);
  });

  test('are evicted only at rest', () => {
    const { control, state, clock } = governed(ONE, createRateState({ capacity: 2 }));
    runControl(control, callOf({ agent: 'a' }));
    runControl(control, callOf({ agent: 'b' }));
    clock.passMs(100);
    runControl(control, callOf({ agent: 'c' }));
    expect(state.size).toBe(1);
  });

  test('are never evicted while live: the call fails', () => {
    const { control } = governed(ONE, createRateState({ capacity: 2 }));
    runControl(control, callOf({ agent: 'a' }));
    admittedOf(control, 5, () => callOf({ agent: 'b' }));
    expect(() => runControl(control, callOf({ agent: 'c' }))).toThrow('all 2 rate counters are in use');
    expect(runControl(control, callOf({ agent: 'b' })).verdict.effect).toBe('deny');
  });

  test('make room when the first of a full table is at rest', () => {
    const { control, clock } = governed(ONE, createRateState({ capacity: 1 }));
    runControl(control, callOf({ agent: 'a' }));
    expect(() => runControl(control, callOf({ agent: 'b' }))).toThrow(/in use/);
    clock.passMs(100);
    expect(runControl(control, callOf({ agent: 'b' })).verdict.effect).toBe('allow');
  });

  test('make room as soon as the fastest is at rest', () => {
    const slow = '  - { subject: "agent:slow", resource: "*", limit: 1/d }\n';
    const { control, clock } = governed(
      `${ONE.replace('agent:*', 'agent:q*')}${slow}`,
      createRateState({ capacity: 2 }),
    );
    runControl(control, callOf({ agent: 'slow' }));
    for (const agent of ['q1', 'q2', 'q3']) {
      expect(runControl(control, callOf({ agent })).verdict.effect).toBe('allow');
      clock.passMs(100);
    }
  });

  test('charge nothing when one counter of a call has no room', () => {
    const text = `${ONE}  - { subject: "agent:*", resource: "tool:crm/*", limit: 1/m }\n`;
    const { control, state } = governed(text, createRateState({ capacity: 1 }));
    expect(() => runControl(control, callOf())).toThrow(/in use/);
    expect(state.size).toBe(0);
  });
});
