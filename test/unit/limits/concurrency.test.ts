import { describe, expect, test } from 'vitest';
import { concurrencyControl, createConcurrencyState } from '../../../src/limits/concurrency.ts';
import { loadLimits } from '../../../src/limits/load.ts';
import { admittedOf, COMPLETED, callOf, refusedAt, runControl } from './limited-call.ts';

function governed(text: string, state = createConcurrencyState()) {
  const rules = loadLimits('policies/limits.yaml', text);
  return { rules, state, control: concurrencyControl(rules, state) };
}

const TWO_AT_ONCE = 'concurrency:\n  - { subject: "agent:*", resource: "tool:*", limit: 2 }\n';

describe('a concurrency limit', () => {
  test('admits calls up to its limit and refuses the next with its line', () => {
    const { control } = governed(TWO_AT_ONCE);
    expect(admittedOf(control, 2, callOf)).toBe(2);
    expect(runControl(control, callOf()).verdict).toEqual({
      effect: 'deny',
      reason: 'concurrency-exceeded',
      message: 'the limit of 2 concurrent calls is reached; try again when a call has ended',
      rule: 'limits.yaml:2',
    });
  });

  test.each([
    ['completed', COMPLETED],
    ['was refused later', refusedAt('ledger')],
  ])('releases the slot when the call %s', (_name, outcome) => {
    const { control } = governed(TWO_AT_ONCE);
    const call = callOf();
    const { facts } = runControl(control, call);
    admittedOf(control, 1, callOf);
    control.settle?.({ call }, facts, outcome);
    expect(admittedOf(control, 5, callOf)).toBe(1);
  });

  test('releases a slot once when settled twice', () => {
    const { control } = governed(TWO_AT_ONCE);
    const call = callOf();
    const { facts } = runControl(control, call);
    admittedOf(control, 1, callOf);
    control.settle?.({ call }, facts, COMPLETED);
    control.settle?.({ call }, facts, COMPLETED);
    expect(admittedOf(control, 5, callOf)).toBe(1);
  });

  test('releases nothing for a call that it refused', () => {
    const { control } = governed(TWO_AT_ONCE);
    admittedOf(control, 2, callOf);
    const call = callOf();
    const { facts } = runControl(control, call);
    control.settle?.({ call }, facts, refusedAt('authorize'));
    expect(runControl(control, callOf()).verdict.effect).toBe('deny');
  });

  test('takes no slot of any limit when one of them is full', () => {
    const text = `${TWO_AT_ONCE}  - { subject: "agent:*", resource: "tool:crm/*", limit: 1 }\n`;
    const { control } = governed(text);
    expect(admittedOf(control, 5, () => callOf({ tool: 'crm/refund' }))).toBe(1);
    expect(admittedOf(control, 5, () => callOf({ tool: 'files/read' }))).toBe(1);
  });

  test('releases slots taken before a reload that deleted the row', () => {
    const { control, state, rules } = governed(TWO_AT_ONCE);
    const call = callOf();
    const { facts } = runControl(control, call);
    const key = rules.match(call).concurrency[0]?.key ?? '';
    expect(state.inUse(key)).toBe(1);
    governed('concurrency: []\n', state).control.settle?.({ call }, facts, COMPLETED);
    expect(state.inUse(key)).toBe(0);
  });

  test('decides from its facts alone', () => {
    const { control } = governed(TWO_AT_ONCE);
    admittedOf(control, 2, callOf);
    const call = callOf();
    const { facts, verdict } = runControl(control, call);
    expect(facts.rules[0]?.inUse).toBe(2);
    expect(governed(TWO_AT_ONCE).control.decide({ call }, facts)).toEqual(verdict);
  });
});
