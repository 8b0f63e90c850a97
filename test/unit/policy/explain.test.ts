import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { type Explanation, explain } from '../../../src/policy/explain.ts';
import { policyOf } from './policy-texts.ts';

const POLICY = policyOf(
  '# refunds',
  'p, agent:desk, tool:crm/*, call, "args.amount <= 100", allow',
  'p, agent:desk, tool:crm/refund, call, "args.currency != \'EUR\'", deny',
  'p, agent:desk, tool:crm/read, call, , allow',
  'p, agent:desk, tool:crm/drop, *, , deny',
  'p, agent:other, tool:crm/refund, call, , allow',
);

function explained(object: string, args?: JsonObject): Explanation {
  return explain(POLICY, {
    ...{ subjects: ['agent:desk'], object, action: 'call', nowMs: 0 },
    principal: { agent: 'agent:desk' },
    target: { server: 'crm', kind: 'tool', name: 'refund', tool: 'refund', risk: 'write', labels: [] },
    context: { transport: 'http', protocolVersion: '2025-11-25' },
    ...(args === undefined ? {} : { args }),
  });
}

test('every matching row is listed with line, text, condition and its result', () => {
  expect(explained('tool:crm/refund', { amount: 40, currency: 'USD' })).toEqual({
    effect: 'deny',
    rule: 'policy.csv:3',
    rows: [
      {
        at: 'policy.csv:2',
        text: 'p, agent:desk, tool:crm/*, call, "args.amount <= 100", allow',
        effect: 'allow',
        when: 'args.amount <= 100',
        conditionResult: 'true',
      },
      {
        at: 'policy.csv:3',
        text: 'p, agent:desk, tool:crm/refund, call, "args.currency != \'EUR\'", deny',
        effect: 'deny',
        when: "args.currency != 'EUR'",
        conditionResult: 'true',
      },
    ],
  });
});
test('allowed arguments are explained as allowed', () => {
  expect(explained('tool:crm/refund', { amount: 40, currency: 'EUR' })).toMatchObject({
    effect: 'allow',
    rule: 'policy.csv:2',
  });
});
test('a condition in error is reported as error', () => {
  expect(explained('tool:crm/refund', {}).rows.map((row) => row.conditionResult)).toEqual(['error', 'error']);
});
test('without arguments, the decision depends on them', () => {
  const { effect, rule, rows } = explained('tool:crm/refund');
  expect({ effect, rule, at: rows.map((row) => row.at) }).toEqual({
    effect: 'depends-on-arguments',
    rule: undefined,
    at: ['policy.csv:2', 'policy.csv:3'],
  });
});
test('without arguments, an unconditional allow row allows', () => {
  expect(explained('tool:crm/read')).toMatchObject({ effect: 'allow', rule: 'policy.csv:4' });
});
test('without arguments, an unconditional deny row denies', () => {
  expect(explained('tool:crm/drop')).toMatchObject({ effect: 'deny', rule: 'policy.csv:5' });
});
test('a request that matches no row is denied without a rule', () => {
  expect(explained('tool:files/read')).toEqual({ effect: 'deny', rows: [] });
});
