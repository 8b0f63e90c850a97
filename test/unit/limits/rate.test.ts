import { describe, expect, test } from 'vitest';
import { loadLimits } from '../../../src/limits/load.ts';
import { createRateState, rateControl } from '../../../src/limits/rate.ts';
import { admittedOf, callOf, SetClock, walk } from './limited-call.ts';

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

  test('refuses with its line and the time to wait', () => {
    const { control } = governed(ONE);
    admittedOf(control, 5, callOf);
    expect(walk(control, callOf()).verdict).toEqual({
      effect: 'deny',
      reason: 'rate-exceeded',
      message: 'the rate of 600/m calls (burst 5) is used up; try again in 100 ms',
      rule: 'limits.yaml:2',
      retryAfterMs: 100,
    });
  });

  test('admits the call that waited as long as it was told, and no call before', () => {
    const { control, clock } = governed(ONE);
    admittedOf(control, 5, callOf);
    clock.passMs(99);
    expect(walk(control, callOf()).verdict.effect).toBe('deny');
    clock.passMs(1);
    expect(walk(control, callOf()).verdict.effect).toBe('allow');
  });

  test('does not charge refused calls, so that an agent that hammers is not locked out', () => {
    const { control, clock } = governed(ONE);
    admittedOf(control, 10_000, callOf);
    clock.passMs(100);
    expect(walk(control, callOf()).verdict.effect).toBe('allow');
  });

  test('keeps one agent from using up what another has', () => {
    const { control } = governed(ONE);
    admittedOf(control, 5, () => callOf({ agent: 'a' }));
    expect(walk(control, callOf({ agent: 'b' })).verdict.effect).toBe('allow');
  });

  test('of a role is shared by its members', () => {
    const { control } = governed('rates:\n  - { subject: "role:x", resource: "*", limit: 1/s, burst: 2 }\n');
    admittedOf(control, 2, () => callOf({ agent: 'a', groups: ['role:x'] }));
    expect(walk(control, callOf({ agent: 'b', groups: ['role:x'] })).verdict.effect).toBe('deny');
  });

  test('gives nothing when the calendar clock jumps an hour ahead or back', () => {
    const { control, clock } = governed(ONE);
    admittedOf(control, 5, callOf);
    clock.jumpMs(3_600_000);
    expect(walk(control, callOf()).verdict.effect).toBe('deny');
    clock.jumpMs(-7_200_000);
    expect(walk(control, callOf()).verdict.effect).toBe('deny');
  });

  test('counts a name that resolves to nothing like any other', () => {
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
    walk(control, callOf());
    expect(walk(control, callOf()).verdict).toMatchObject({ rule: 'limits.yaml:3', retryAfterMs: 60_000 });
  });

  test('name the one with the longest wait also when it stands first', () => {
    const [head = '', first = '', second = ''] = TWO.replace('burst: 3', 'burst: 1').split('\n');
    const { control } = governed([head, second, first, ''].join('\n'));
    walk(control, callOf());
    expect(walk(control, callOf()).verdict).toMatchObject({ rule: 'limits.yaml:2', retryAfterMs: 60_000 });
  });

  test('charge none when one refuses', () => {
    const { control } = governed(TWO);
    admittedOf(control, 10, () => callOf({ tool: 'crm/refund' }));
    expect(admittedOf(control, 10, () => callOf({ tool: 'files/read' }))).toBe(2);
  });
});

describe('the facts of a rate', () => {
  test('say how far ahead of the even pace each counter was', () => {
    const { control, rules } = governed(ONE);
    walk(control, callOf());
    const { facts } = walk(control, callOf());
    expect(facts).toEqual({
      rules: [{ id: rules.rates[0]?.id, at: 'limits.yaml:2', subject: 'agent:demo', aheadUs: 100_000 }],
    });
  });

  test('decide alone: the same facts give the same verdict when the counters have moved on', () => {
    const { control, clock } = governed(ONE);
    admittedOf(control, 5, callOf);
    const call = callOf();
    const { facts, verdict } = walk(control, call);
    clock.passMs(60_000);
    expect(control.decide({ call }, facts)).toEqual(verdict);
  });

  test('cannot decide when they hold a rule that does not apply', () => {
    const { control } = governed(ONE);
    const other = { id: 'sha256:0', at: 'limits.yaml:9', subject: 'agent:demo', aheadUs: 0 };
    const call = callOf();
    const { facts } = walk(control, call);
    expect(() => control.decide({ call }, { rules: [...facts.rules, other] })).toThrow(/does not apply here/);
  });

  test('cannot decide when a rule that applies is missing', () => {
    const { control } = governed(ONE);
    expect(() => control.decide({ call: callOf() }, { rules: [] })).toThrow(/hold no count of limits.yaml:2/);
  });

  test('are found by rule when rows stand in another order', () => {
    const a = '  - { subject: "agent:*", resource: "tool:*", limit: 1/s, burst: 3 }\n';
    const b = '  - { subject: "agent:*", resource: "tool:crm/*", limit: 1/m, burst: 1 }\n';
    const call = callOf();
    const { facts } = walk(governed(`rates:\n${a}${b}`).control, call);
    expect(governed(`rates:\n${b}${a}`).control.decide({ call }, facts).effect).toBe('allow');
  });
});

describe('the counters of rates', () => {
  test('outlive a reload that changes the amounts', () => {
    const { control, state, clock } = governed(ONE);
    admittedOf(control, 5, callOf);
    const reloaded = rateControl(loadLimits('limits.yaml', ONE.replace('burst: 5', 'burst: 6')), state, clock);
    expect(admittedOf(reloaded, 10, callOf)).toBe(1);
  });

  test('are forgotten only when they are back at rest', () => {
    const { control, state, clock } = governed(ONE, createRateState({ capacity: 2 }));
    walk(control, callOf({ agent: 'a' }));
    walk(control, callOf({ agent: 'b' }));
    clock.passMs(100);
    walk(control, callOf({ agent: 'c' }));
    expect(state.size).toBe(1);
  });

  test('refuse to forget a live one: the call cannot be decided', () => {
    const { control } = governed(ONE, createRateState({ capacity: 2 }));
    walk(control, callOf({ agent: 'a' }));
    admittedOf(control, 5, () => callOf({ agent: 'b' }));
    expect(() => walk(control, callOf({ agent: 'c' }))).toThrow('all 2 rate counters are in use');
    expect(walk(control, callOf({ agent: 'b' })).verdict.effect).toBe('deny');
  });

  test('make room again once the first of a full table comes to rest', () => {
    const { control, clock } = governed(ONE, createRateState({ capacity: 1 }));
    walk(control, callOf({ agent: 'a' }));
    expect(() => walk(control, callOf({ agent: 'b' }))).toThrow(/in use/);
    clock.passMs(100);
    expect(walk(control, callOf({ agent: 'b' })).verdict.effect).toBe('allow');
  });

  test('make room for the next as soon as the quickest is at rest, though another is live for long', () => {
    const slow = '  - { subject: "agent:slow", resource: "*", limit: 1/d }\n';
    const { control, clock } = governed(
      `${ONE.replace('agent:*', 'agent:q*')}${slow}`,
      createRateState({ capacity: 2 }),
    );
    walk(control, callOf({ agent: 'slow' }));
    for (const agent of ['q1', 'q2', 'q3']) {
      expect(walk(control, callOf({ agent })).verdict.effect).toBe('allow');
      clock.passMs(100);
    }
  });

  test('leave nothing charged when there is no room for one of a call', () => {
    const text = `${ONE}  - { subject: "agent:*", resource: "tool:crm/*", limit: 1/m }\n`;
    const { control, state } = governed(text, createRateState({ capacity: 1 }));
    expect(() => walk(control, callOf())).toThrow(/in use/);
    expect(state.size).toBe(0);
  });
});
