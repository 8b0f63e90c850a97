import { expect, test } from 'vitest';
import { createConditionCompiler } from '../../../src/policy/conditions/condition.ts';
import { CONDITION_COMPREHENSIONS, CONDITION_FUNCTIONS } from '../../../src/policy/conditions/condition-variables.ts';

test.each(Object.entries({ ...CONDITION_FUNCTIONS, ...CONDITION_COMPREHENSIONS }))(
  '%s is there for conditions, as its example shows',
  (name, example) => {
    expect(example).toContain(name);
    const condition = createConditionCompiler()(example);
    const scope = {
      args: { path: 'notes.md', tags: ['urgent'] },
      nowMs: Date.UTC(2026, 6, 28),
      principal: { agent: 'agent:demo' },
      target: { server: 'files', kind: 'tool', name: 'read_file', tool: 'read_file', risk: 'read', labels: [] },
      context: { transport: 'http', protocolVersion: '2026-07-28' } as const,
    };
    expect('evaluate' in condition ? condition.evaluate(scope) : condition).toBe('true');
  },
);
