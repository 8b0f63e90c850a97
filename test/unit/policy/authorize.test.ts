import { describe, expect, test } from 'vitest';
import type { Call } from '../../../src/domain/call.ts';
import type { ToolTarget, UnknownTarget } from '../../../src/domain/target.ts';
import type { Verdict } from '../../../src/domain/verdict.ts';
import { createPrincipal } from '../../../src/identity/principal.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { type AuthorizeFacts, authorize, couldAllow, principalSubjects } from '../../../src/policy/authorize.ts';
import type { PolicySet } from '../../../src/policy/policy-set.ts';
import { policyOf } from './policy-texts.ts';

const nowMs = Date.UTC(2026, 5, 1);
const clock = { wallMs: () => nowMs, monotonicMs: () => 0 };
const principal = createPrincipal(
  { name: 'desk', owner: 'ana', team: 'support' },
  { by: 'api-key', credentialId: 'k1' },
);
const unknown: UnknownTarget = { kind: 'unknown', id: 'tool:unknown', exposedName: 'crm__nothing' };
const refund: ToolTarget = {
  ...{ kind: 'tool', id: 'tool:crm/refund', server: 'crm', tool: 'refund', exposedName: 'crm__refund', risk: 'write' },
  ...{ labels: ['money'], costNanoUsd: 0, timeoutMs: 1_000, maxResultBytes: 1_000, payloads: 'keep' },
  ...{ definitionDigest: 'sha256:00', definition: {}, inputSchema: {} },
};
const signal = AbortSignal.abort();

function callOf(policySet: PolicySet, args: JsonObject, target: Call['target'] = refund): Call {
  return {
    ...{ id: 'id', principal, subjects: principalSubjects(policySet, principal), action: 'call', target, args },
    ...{ context: { transport: 'http', protocolVersion: '2025-11-25', session: 's' }, receivedAtMs: nowMs },
  };
}

function runControl(
  policySet: PolicySet,
  args: JsonObject,
  target?: Call['target'],
): { facts: AuthorizeFacts; verdict: Verdict } {
  const control = authorize(policySet, clock);
  const call = callOf(policySet, args, target);
  const facts = control.gather({ call }, { signal });
  if (facts instanceof Promise) throw new Error('authorize waits');
  return { facts, verdict: control.decide({ call }, facts) };
}

const POLICY = policyOf(
  'p, role:support, tool:crm/refund, call, "args.amount <= 100", allow',
  'p, team:support, tool:crm/refund, call, "args.amount == 13", deny',
  'g, agent:desk, role:support',
);

describe('authorize', () => {
  test('allows and names the row', () => {
    expect(runControl(POLICY, { amount: 40 }).verdict).toEqual({ effect: 'allow', rule: 'policy.csv:1' });
  });
  test('refuses when no condition of an allow row is true', () => {
    expect(
      runControl(policyOf('p, agent:desk, tool:crm/*, call, "args.amount < 1", allow'), { amount: 40 }).verdict,
    ).toEqual({
      effect: 'deny',
      reason: 'policy-denied',
      message: 'no grant lets agent:desk call tool:crm/refund with these arguments',
    });
  });
  test('refuses by a deny row and names it', () => {
    expect(runControl(POLICY, { amount: 13 }).verdict).toMatchObject({ reason: 'policy-denied', rule: 'policy.csv:2' });
  });
  test('refuses by a deny row whose condition is in error', () => {
    expect(runControl(POLICY, {}).verdict).toMatchObject({ reason: 'policy-denied', rule: 'policy.csv:2' });
  });
  test('records the time and the result of each condition, but no arguments', () => {
    const { facts } = runControl(POLICY, { amount: 40, secret: 'hush' });
    expect(facts.nowMs).toBe(nowMs);
    expect(Object.values(facts.conditions).sort()).toEqual(['false', 'true']);
    expect(JSON.stringify(facts)).not.toContain('hush');
  });
  test('decides from the recorded facts alone', () => {
    const control = authorize(POLICY, clock);
    const { facts } = runControl(POLICY, { amount: 40 });
    expect(control.decide({ call: callOf(POLICY, { amount: 4_000 }) }, facts)).toMatchObject({ effect: 'allow' });
  });
  test('treats a condition that is missing in the facts as an error', () => {
    const control = authorize(POLICY, clock);
    const verdict = control.decide({ call: callOf(POLICY, { amount: 40 }) }, { nowMs, conditions: {} });
    expect(verdict).toMatchObject({ effect: 'deny', rule: 'policy.csv:2' });
  });
  test('refuses an unknown name as an unknown tool', () => {
    expect(runControl(POLICY, {}, unknown).verdict).toEqual({
      effect: 'deny',
      reason: 'unknown-tool',
      message: 'no tool `crm__nothing`',
    });
  });
});

describe('a principal may see', () => {
  const who = (policySet: PolicySet) => ({ principal, subjects: principalSubjects(policySet, principal) });
  const reaches = (policySet: PolicySet): boolean =>
    couldAllow(policySet, who(policySet), { target: refund, action: 'call' });

  test('a tool that some arguments are allowed for', () => {
    expect(reaches(POLICY)).toBe(true);
  });
  test('no tool that a condition on the principal denies for all arguments', () => {
    expect(reaches(policyOf(`p, agent:*, tool:crm/*, call, "principal.team == 'sales'", allow`))).toBe(false);
  });
  test('no tool that a condition on the target denies for all arguments', () => {
    const deny = `p, agent:*, tool:crm/*, call, "'money' in target.labels", deny`;
    expect(reaches(policyOf('p, agent:*, tool:crm/*, call, , allow', deny))).toBe(false);
  });
  test('a tool that another time would allow', () => {
    expect(reaches(policyOf(`p, agent:*, tool:crm/*, call, "now > timestamp('2100-01-01T00:00:00Z')", allow`))).toBe(
      true,
    );
  });
  test('nothing that does not exist', () => {
    expect(couldAllow(POLICY, who(POLICY), { target: unknown, action: 'call' })).toBe(false);
  });
});

test('the subjects of a principal are its id, its roles and its team', () => {
  const policySet = policyOf('g, agent:desk, role:b', 'g, role:b, role:a');
  expect(principalSubjects(policySet, principal)).toEqual(['agent:desk', 'role:a', 'role:b', 'team:support']);
});
