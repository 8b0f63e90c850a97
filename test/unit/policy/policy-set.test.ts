import { describe, expect, test } from 'vitest';
import type { AccessRequest } from '../../../src/policy/policy-set.ts';
import { policyOf } from './policy-texts.ts';

const ask = (subject: string | readonly string[], object: string, action = 'call'): AccessRequest => ({
  subjects: typeof subject === 'string' ? [subject] : subject,
  object,
  action,
});
const no = () => 'false' as const;
const yes = () => 'true' as const;
const unclear = () => 'error' as const;

describe('a decision', () => {
  test('allows by the first allow row that matches', () => {
    const set = policyOf('p, agent:a, tool:b/*, call, , allow', 'p, agent:a, tool:b/c, call, , allow');
    expect(set.decide(ask('agent:a', 'tool:b/c'), no)).toEqual({
      ...{ allowed: true, rule: 'policy.csv:1', effect: 'allow', matching: [1, 2] },
    });
  });
  test('refuses by the first deny row that matches, wherever it is', () => {
    const set = policyOf(
      'p, agent:a, tool:b/c, call, , allow',
      'p, agent:*, tool:b/c, call, , deny',
      'p, agent:a, tool:b/*, *, , deny',
    );
    expect(set.decide(ask('agent:a', 'tool:b/c'), no)).toEqual({
      ...{ allowed: false, rule: 'policy.csv:2', effect: 'deny', matching: [1, 2, 3] },
    });
  });
  test('refuses without a rule when nothing matches', () => {
    const set = policyOf('p, agent:a, tool:b/c, call, , allow');
    expect(set.decide(ask('agent:a', 'tool:b/d'), yes)).toEqual({ allowed: false, matching: [] });
  });
  test('matches every action by `*`', () => {
    const set = policyOf('p, agent:a, resource:b/*, *, , allow');
    expect(set.decide(ask('agent:a', 'resource:b/c', 'subscribe'), no).allowed).toBe(true);
  });
  test('distinguishes actions', () => {
    const set = policyOf('p, agent:a, tool:b/c, call, , allow');
    expect(set.decide(ask('agent:a', 'tool:b/c', 'read'), no).allowed).toBe(false);
  });
  test('is case-sensitive', () => {
    const set = policyOf('p, agent:a, tool:b/c, call, , allow');
    expect(set.decide(ask('agent:a', 'tool:b/C'), no).allowed).toBe(false);
  });
  test('applies grants of nested roles', () => {
    const set = policyOf('p, role:c, tool:x/y, call, , allow', 'g, agent:a, role:b', 'g, role:b, role:c');
    expect(set.decide(ask('agent:a', 'tool:x/y'), no).allowed).toBe(true);
  });
  test('gives a role no grants of its member roles', () => {
    const set = policyOf('p, role:b, tool:x/y, call, , allow', 'g, role:b, role:c', 'g, agent:a, role:c');
    expect(set.decide(ask('agent:a', 'tool:x/y'), no).allowed).toBe(false);
  });
  test('finds an object in nested sets', () => {
    const set = policyOf('p, agent:a, set:t, call, , allow', 'g2, tool:x/y, set:s', 'g2, set:s, set:t');
    expect(set.decide(ask('agent:a', 'tool:x/y'), no).allowed).toBe(true);
  });
  test('applies grants of the team', () => {
    const set = policyOf('p, team:support, tool:x/y, call, , allow');
    expect(set.decide(ask(['agent:a', 'team:support'], 'tool:x/y'), no).allowed).toBe(true);
    expect(set.decide(ask(['agent:a', 'team:sales'], 'tool:x/y'), no).allowed).toBe(false);
    expect(set.decide(ask(['agent:a'], 'tool:x/y'), no).allowed).toBe(false);
  });
  test('ignores roles in the request', () => {
    const set = policyOf('p, role:admin, tool:x/y, call, , allow', 'g, agent:root, role:admin');
    expect(set.decide(ask(['agent:a', 'role:admin'], 'tool:x/y'), no).allowed).toBe(false);
    expect(set.decide(ask(['role:admin'], 'tool:x/y'), no).allowed).toBe(false);
  });
  test('refuses a caller that is a glob', () => {
    const set = policyOf('p, agent:*, tool:x/y, call, , allow');
    expect(set.decide(ask('agent:*', 'tool:x/y'), no).allowed).toBe(false);
  });
});

describe('a condition in error', () => {
  const row = 'args.x == 1';
  test('does not match on an allow row', () => {
    const set = policyOf(`p, agent:a, tool:b/c, call, "${row}", allow`);
    expect(set.decide(ask('agent:a', 'tool:b/c'), unclear)).toEqual({ allowed: false, matching: [] });
  });
  test('matches on a deny row', () => {
    const set = policyOf('p, agent:a, tool:b/c, call, , allow', `p, agent:a, tool:b/c, call, "${row}", deny`);
    expect(set.decide(ask('agent:a', 'tool:b/c'), unclear).rule).toBe('policy.csv:2');
  });
  test('that is false matches on neither row', () => {
    const set = policyOf(`p, agent:a, tool:b/c, call, "${row}", allow`, `p, agent:a, tool:*, call, "${row}", deny`);
    expect(set.decide(ask('agent:a', 'tool:b/c'), no).matching).toEqual([]);
  });
});

describe('partial evaluation', () => {
  const question = ask('agent:a', 'tool:b/c');
  test.each([
    ['a tool under a conditional allow', ['p, agent:a, tool:b/c, call, "args.x == 1", allow'], true],
    [
      'a tool under an unconditional deny',
      ['p, agent:a, tool:*, call, , allow', 'p, agent:a, tool:b/c, *, , deny'],
      false,
    ],
    [
      'a tool under a conditional deny',
      ['p, agent:a, tool:*, call, , allow', 'p, agent:a, tool:b/c, *, "args.x == 1", deny'],
      true,
    ],
    [
      'a tool whose only allow and a deny ask the same',
      ['p, agent:a, tool:*, call, "args.x == 1", allow', 'p, agent:a, tool:b/c, *, "args.x == 1", deny'],
      false,
    ],
    ['a tool that nothing grants', ['p, agent:b, tool:*, call, , allow'], false],
  ])('of %s: %j → %s', (_, rows, expected) => {
    expect(policyOf(...rows).couldAllow(question)).toBe(expected);
  });
});

test('roles of an agent are listed sorted, with nested roles', () => {
  const set = policyOf('g, agent:a, role:z', 'g, role:z, role:b', 'g, agent:a, role:c', 'g, agent:x, role:y');
  expect(set.rolesOf('agent:a')).toEqual(['role:b', 'role:c', 'role:z']);
});

test('conditions of a request are those of rows that could match it', () => {
  const set = policyOf(
    'p, agent:a, tool:b/c, call, "args.x == 1", allow',
    'p, agent:a, tool:b/d, call, "args.x == 2", allow',
  );
  expect(set.conditionsFor(ask('agent:a', 'tool:b/c')).map((id) => set.condition(id)?.text)).toEqual(['args.x == 1']);
});

test('a lattice of roles with exponentially many paths is resolved', () => {
  const rows = ['p, role:end, tool:b/c, call, , allow', 'g, agent:a, role:l0', 'g, agent:a, role:r0'];
  for (let step = 0; step < 40; step += 1) {
    for (const from of ['l', 'r'])
      for (const to of ['l', 'r']) rows.push(`g, role:${from}${step}, role:${to}${step + 1}`);
  }
  rows.push('g, role:l40, role:end');
  expect(policyOf(...rows).decide(ask('agent:a', 'tool:b/c'), no).allowed).toBe(true);
});
