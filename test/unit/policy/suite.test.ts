import { describe, expect, test } from 'vitest';
import { ProblemError } from '../../../src/domain/problem.ts';
import { readSuite, runSuite, type SuiteContext } from '../../../src/policy/suite.ts';
import { policyOf } from './policy-texts.ts';

const POLICY = policyOf(
  'p, role:developer, tool:github/*, call, , allow',
  'p, role:developer, tool:github/delete_repository, call, , deny',
  'p, team:support, tool:crm/refund, call, "args.amount <= 100 && args.currency == \'EUR\'", allow',
  'p, agent:desk, tool:crm/purge, call, "target.risk == \'read\'", allow',
  'g, agent:ci-bot, role:developer',
);
const context: SuiteContext = {
  nowMs: 0,
  principalOf: (agent) => (agent === 'agent:desk' ? { owner: 'ana', team: 'support' } : undefined),
  targetOf: () => undefined,
};

function failures(text: string): readonly string[] {
  const result = runSuite(POLICY, [readSuite('tests/a.yaml', text)], context);
  return result.failures.map((problem) => `${problem.at} ${problem.message}`);
}

function problems(text: string): readonly string[] {
  try {
    readSuite('tests/a.yaml', text);
  } catch (error) {
    if (error instanceof ProblemError) return error.problems.map((problem) => `${problem.at} ${problem.code}`);
    throw error;
  }
  return [];
}

describe('policy tests', () => {
  test('that hold have no failures', () => {
    const text = `# what must stay true
- as: agent:ci-bot
  may:     [ call tool:github/create_issue ]
  may_not: [ call tool:github/delete_repository, call tool:payroll/read ]
- as: agent:desk
  may:     [ { call: tool:crm/refund, args: { amount: 40, currency: EUR } } ]
  may_not: [ { call: tool:crm/refund, args: { amount: 4000, currency: EUR } }, { call: tool:crm/refund, args: {} } ]
`;
    const suite = readSuite('tests/a.yaml', text);
    expect(runSuite(POLICY, [suite], context)).toEqual({ checked: 6, failures: [] });
  });
  test('use the normal form of a URI, as calls do', () => {
    const suite = readSuite(
      'tests/a.yaml',
      `- as: agent:reader
  may: [ read resource:srv/TEST://t/x/../open, read resource:srv/test://t/%73ecret, read resource:srv/test://t/%252e%252e/x ]
  may_not: [ read resource:srv/test://t/%73ecret, read resource:srv/test://me@t/x ]
`,
    );
    const policy = policyOf(
      'p, agent:reader, resource:srv/*, read, , allow',
      'p, agent:reader, resource:srv/test://t/secret, read, , deny',
    );
    expect(runSuite(policy, [suite], context).failures.map(({ message }) => message)).toEqual([
      '`agent:reader may read resource:srv/test://t/secret` does not hold: it is refused by policy.csv:2',
      '`agent:reader may read resource:srv/test://t/%252e%252e/x` does not hold: the URI has no normal form, so every request for it is refused',
    ]);
  });
  test('that fail are reported with file, line and column', () => {
    expect(failures('- as: agent:ci-bot\n  may:\n    - call tool:github/delete_repository\n')).toEqual([
      'tests/a.yaml:3:7 `agent:ci-bot may call tool:github/delete_repository` does not hold: it is refused by policy.csv:2',
    ]);
  });
  test('that forbid an allowed call are reported with the row that allows it', () => {
    expect(failures('- { as: agent:ci-bot, may_not: [call tool:github/x] }')).toEqual([
      'tests/a.yaml:1:33 `agent:ci-bot may not call tool:github/x` does not hold: it is allowed by policy.csv:1',
    ]);
  });
  test('without arguments fail, either way, when the decision depends on them', () => {
    expect(failures('- as: agent:desk\n  may: [call tool:crm/refund]\n  may_not: [call tool:crm/refund]')).toHaveLength(
      2,
    );
  });
  test('use the target of the registry', () => {
    const suite = readSuite('tests/a.yaml', '- as: agent:desk\n  may: [call tool:crm/purge]');
    const targetOf = () => ({ server: 'crm', kind: 'tool', name: 'purge', tool: 'purge', risk: 'read', labels: [] });
    expect(runSuite(POLICY, [suite], { ...context, targetOf }).failures).toEqual([]);
    expect(runSuite(POLICY, [suite], context).failures).toHaveLength(1);
  });
});

describe('a file of policy tests is refused, with line and column,', () => {
  test.each([
    ['for an unknown key', '- as: agent:a\n  mya: [call tool:a/b]', 'tests/a.yaml:2:3 config-unknown-key'],
    ['for a role in the place of an agent', '- as: role:a\n', 'tests/a.yaml:1:7 config-invalid-value'],
    ['for an unknown action', '- as: agent:a\n  may: [cal tool:a/b]', 'tests/a.yaml:2:9 config-invalid-value'],
    ['for a glob', '- as: agent:a\n  may: [{ call: "tool:a/*" }]', 'tests/a.yaml:2:17 config-invalid-value'],
    ['for no action', '- as: agent:a\n  may: [{ args: {} }]', 'tests/a.yaml:2:9 config-invalid-value'],
    [
      'for two actions',
      '- as: agent:a\n  may: [{ call: tool:a/b, read: tool:a/b }]',
      'tests/a.yaml:2:9 config-invalid-value',
    ],
  ])('%s', (_, text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });
});
