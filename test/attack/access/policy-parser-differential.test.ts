import { describe, expect, test } from 'vitest';
import { ProblemError } from '../../../src/domain/problem.ts';
import { DEFAULT_MODEL, type PolicyFiles } from '../../../src/policy/files/model.ts';
import { loadPolicySet } from '../../../src/policy/load.ts';

function refusalOf(files: PolicyFiles): string | undefined {
  try {
    loadPolicySet(files);
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
  return undefined;
}

const GRANT = 'p, agent:*, tool:files/*, call, , allow';
const certain = () => 'true' as const;

describe('a row that would silently be inert, and so leave a call allowed, refuses the whole file:', () => {
  test.each([
    ['a misspelt deny', `${GRANT}\np, agent:*, tool:files/delete, call, , denny`, 'policy-unknown-effect'],
    ['a deny in capitals', `${GRANT}\np, agent:*, tool:files/delete, call, , DENY`, 'policy-unknown-effect'],
    [
      'a deny without its condition column',
      `${GRANT}\np, agent:*, tool:files/delete, call, deny`,
      'policy-column-missing',
    ],
    [
      'a deny behind an invisible character',
      `${GRANT}\n\u200bp, agent:*, tool:files/delete, call, , deny`,
      'policy-control-character',
    ],
    [
      'a deny of a role that is misspelt',
      `${GRANT}\np, role:intrn, tool:*, call, , deny\ng, agent:a, role:intern`,
      'policy-unknown-role',
    ],
    [
      'a deny whose condition is misspelt',
      `${GRANT}\np, agent:*, tool:*, call, principal.taem == 'x', deny`,
      'policy-condition-invalid',
    ],
    [
      'a deny in a kind of row that Casbin skips',
      `${GRANT}\np2, agent:*, tool:files/delete, call, , deny`,
      'policy-row-unknown',
    ],
  ])('%s', (_, csv, code) => {
    expect(refusalOf({ 'policy.csv': csv })).toBe(code);
  });
});

describe('a principal that is named after a role', () => {
  const policySet = loadPolicySet({ 'policy.csv': 'p, role:admin, tool:*, call, , allow\ng, agent:root, role:admin' });
  test.each(['role:admin', 'agent:role:admin', 'agent:admin', 'admin', 'agent:root role:admin'])(
    '`%s` does not enjoy it',
    (name) => {
      const question = { subjects: [name], object: 'tool:files/delete', action: 'call' };
      expect(policySet.decide(question, certain).allowed).toBe(false);
    },
  );
});

// Threat A1: an empty, missing or broken policy must never be read as "all allowed".
describe('without rules there is no access:', () => {
  const question = { subjects: ['agent:a', 'team:t'], object: 'tool:files/read', action: 'call' };
  test.each<[string, PolicyFiles]>([
    ['no files', {}],
    ['an empty policy', { 'policy.csv': '' }],
    ['a policy of comments', { 'policy.csv': '# p, agent:*, tool:*, call, , allow\n' }],
    ['a policy of roles only', { 'policy.csv': 'g, agent:a, role:admin' }],
    ['a policy of denials only', { 'policy.csv': 'p, agent:b, tool:*, *, , deny' }],
  ])('%s', (_, files) => {
    const policySet = loadPolicySet(files);
    expect([policySet.decide(question, certain).allowed, policySet.couldAllow(question)]).toEqual([false, false]);
  });
});

describe('a model that would decide otherwise than it reads is refused:', () => {
  test.each([
    ['one that a comment cuts off', DEFAULT_MODEL.replace(' && g(r.sub', ' # && g(r.sub')],
    ['one that allows where nothing denies', DEFAULT_MODEL.replace('some(where (p.eft == allow)) && ', '')],
    ['one that runs text of rows as code', DEFAULT_MODEL.replace('when(p.when, r.ctx, p.eft)', 'eval(p.when)')],
    ['one with a second section of matchers', `${DEFAULT_MODEL}\n[matchers]\nm = true\n`],
  ])('%s', (_, model) => {
    expect(refusalOf({ 'model.conf': model, 'policy.csv': GRANT })).toBe('policy-model-invalid');
  });
});
