import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ToolTarget } from '../../src/domain/target.ts';
import { couldAllow, principalSubjects } from '../../src/policy/authorize.ts';
import { explain } from '../../src/policy/explain.ts';
import { loadPolicySet } from '../../src/policy/load.ts';
import type { PolicySet } from '../../src/policy/policy-set.ts';
import { ARGUMENTS, type GeneratedPolicy, OBJECTS, PRINCIPALS, policy, scopeOf } from './policy-generator.ts';

type Asked = { readonly principal: (typeof PRINCIPALS)[number]; readonly target: ToolTarget };

/** Every principal with every tool, each with how the calls with all arguments are decided. */
function forEachPair(
  generated: GeneratedPolicy,
  body: (policySet: PolicySet, asked: Asked, allowed: boolean[]) => void,
): void {
  const policySet = loadPolicySet({ 'policy.csv': generated.csv });
  for (const principal of PRINCIPALS) {
    const subjects = principalSubjects(policySet, principal);
    for (const object of OBJECTS) {
      const allowed = ARGUMENTS.map((args) => {
        const scope = scopeOf(principal, args);
        const question = { subjects, object, action: 'call' };
        return policySet.decide(question, (id) => policySet.condition(id)?.evaluate(scope) ?? 'error').allowed;
      });
      body(policySet, { principal, target: targetOf(object) }, allowed);
    }
  }
}

function targetOf(object: string): ToolTarget {
  return {
    ...{ kind: 'tool', id: object as ToolTarget['id'], server: 'x', tool: 'a', exposedName: 'x__a', risk: 'write' },
    ...{ labels: [], costNanoUsd: 0, timeoutMs: 1, maxResultBytes: 1, payloads: 'keep' },
    ...{ definitionDigest: 'sha256:00', definition: {}, inputSchema: {} },
  };
}

const RUNS = { numRuns: 100, seed: 20_260_131 };

test('a tool is listed exactly when some arguments are allowed', () => {
  const property = fc.property(policy, (generated) => {
    forEachPair(generated, (policySet, { principal, target }, allowed) => {
      const who = { principal, subjects: principalSubjects(policySet, principal) };
      expect(couldAllow(policySet, who, { target, action: 'call' })).toBe(allowed.includes(true));
    });
  });
  fc.assert(property, RUNS);
});

test('explain without arguments gives the decision for all of them, or that it depends on them', () => {
  const property = fc.property(policy, (generated) => {
    forEachPair(generated, (policySet, { principal, target }, allowed) => {
      const { args: _, ...scope } = scopeOf(principal, {});
      const subjects = principalSubjects(policySet, principal);
      const { effect } = explain(policySet, { ...scope, subjects, object: target.id, action: 'call' });
      const expected = allowed.every(Boolean) ? 'allow' : allowed.includes(true) ? 'depends-on-arguments' : 'deny';
      expect(effect).toBe(expected);
    });
  });
  fc.assert(property, RUNS);
});

test('explain with arguments gives the decision of the call, with the deciding row', () => {
  const property = fc.property(policy, fc.constantFrom(...ARGUMENTS), (generated, args) => {
    forEachPair(generated, (policySet, { principal, target }) => {
      const scope = scopeOf(principal, args);
      const question = { subjects: principalSubjects(policySet, principal), object: target.id, action: 'call' };
      const decision = policySet.decide(question, (id) => policySet.condition(id)?.evaluate(scope) ?? 'error');
      const explanation = explain(policySet, { ...scope, ...question });
      expect([explanation.effect, explanation.rule]).toEqual([decision.allowed ? 'allow' : 'deny', decision.rule]);
      const reported = explanation.rows.map((row) => row.at);
      expect(reported).toEqual(expect.arrayContaining(decision.matching.map((line) => `policy.csv:${line}`)));
    });
  });
  fc.assert(property, RUNS);
});
