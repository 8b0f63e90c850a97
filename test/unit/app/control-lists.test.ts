import { expect, test } from 'vitest';
import { allControls, controlLists } from '../../../src/app/control-lists.ts';
import { CONTROL_FAILURE_MODES, FAILURE_MODES } from '../../../src/app/queries/failure-modes.ts';
import { loadPolicyBundle } from '../../../src/app/runtime/policy-bundle.ts';
import { createBudgetState } from '../../../src/limits/budget/state.ts';
import { createConcurrencyState } from '../../../src/limits/concurrency.ts';
import { createRateState } from '../../../src/limits/rate.ts';
import { SchemaCompiler } from '../../../src/validation/json-schema/compile.ts';
import { NOON_MS, rowStore, SetClock } from '../limits/limited-call.ts';

const lists = controlLists(loadPolicyBundle({ 'policy.csv': 'p, agent:a, tool:b/*, call, , allow\n' }, 'policies'), {
  clock: new SetClock(NOON_MS),
  rates: createRateState(),
  concurrency: createConcurrencyState(),
  budgets: createBudgetState({ store: rowStore(), clock: new SetClock(NOON_MS), onClockJump: () => {} }),
  schemas: new SchemaCompiler(),
  onSoftLimit: () => {},
});

test('every control that has a name is in a list: one that no list holds would never run', () => {
  expect(
    allControls(lists)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(Object.keys(CONTROL_FAILURE_MODES).sort());
});

test('every control has its failure mode among those that `posture` prints', () => {
  expect(Object.values(CONTROL_FAILURE_MODES).filter((mode) => !FAILURE_MODES.includes(mode))).toEqual([]);
});

test('request controls run in this order: cheap before expensive, attributable before anonymous', () => {
  expect(lists.requestControls.map(({ name }) => name)).toEqual([
    'rate',
    'authorize',
    'validate-input',
    'concurrency',
    'budget',
  ]);
});
