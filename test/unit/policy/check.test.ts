import { expect, test } from 'vitest';
import { checkPolicy } from '../../../src/policy/lint/check.ts';
import { policyOf } from './policy-texts.ts';

const known = {
  agents: ['agent:a', 'agent:ci-bot'],
  tools: ['tool:crm/read', 'tool:crm/refund', 'prompt:crm/greet'],
  servers: ['crm'],
};

function warnings(...rows: readonly string[]): readonly string[] {
  return checkPolicy(policyOf(...rows), known).map((problem) => `${problem.at} ${problem.code} ${problem.severity}`);
}

test('a policy in which every row matters has no warning', () => {
  expect(
    warnings(
      'p, role:dev, tool:crm/*, call, , allow',
      'p, role:dev, tool:crm/refund, call, , deny',
      'p, agent:ci-*, tool:crm/read, read, , allow',
      'p, agent:a, set:s, call, , allow',
      'g, agent:ci-bot, role:dev',
      'g2, tool:crm/read, set:s',
      'p, agent:a, prompt:crm/greet, get, , allow',
      'p, agent:a, resource:crm/file:///a, read, , allow',
      'p, agent:a, resource:crm/file:///{+path}, complete, , allow',
      'p, agent:a, server:crm, elicit, , allow',
      'p, agent:a, server:crm, roots, , allow',
    ),
  ).toEqual([]);
});
test.each([
  ['a call of a server', ['p, agent:a, server:crm, call, , allow'], '1:25 policy-row-never-matches'],
  ['a tool that asks', ['p, agent:a, tool:crm/read, sample, , allow'], '1:28 policy-row-never-matches'],
  ['a server that is not declared', ['p, agent:a, server:cmr, elicit, , allow'], '1:13 policy-unknown-server'],
  ['what any server may ask', ['p, agent:a, server:*, elicit, , allow'], '1:13 policy-grant-too-wide'],
  [
    'a role without members',
    ['p, role:b, tool:crm/read, call, , allow', 'g, role:b, role:c'],
    '1:4 policy-role-without-members',
  ],
  [
    'an agent with a role that is not declared',
    ['p, role:b, tool:crm/read, call, , allow', 'g, agent:a, role:b', 'g, agent:x, role:b'],
    '3:4 policy-unknown-agent',
  ],
  [
    'a tool in a set that was not observed',
    ['p, agent:a, set:s, call, , deny', 'g2, tool:crm/read, set:s', 'g2, tool:crm/raed, set:s'],
    '3:5 policy-unknown-tool',
  ],
  ['an agent that is not declared', ['p, agent:x, tool:crm/read, call, , allow'], '1:4 policy-unknown-agent'],
  ['a glob that no agent matches', ['p, agent:x*, tool:crm/read, call, , allow'], '1:4 policy-unknown-agent'],
  ['a tool that was not observed', ['p, agent:a, tool:crm/raed, call, , allow'], '1:13 policy-unknown-tool'],
  ['a glob that no tool matches', ['p, agent:a, tool:crm/x*, call, , allow'], '1:13 policy-unknown-tool'],
  ['a tool of an unknown server', ['p, agent:a, tool:cmr/read, call, , allow'], '1:13 policy-unknown-server'],
  ['an unknown server', ['p, agent:a, server:cmr, *, , allow'], '1:13 policy-unknown-server'],
  ['a tool without its name', ['p, agent:a, tool:crm, call, , allow'], '1:13 policy-row-never-matches'],
  [
    'a set with nothing in it',
    ['p, agent:a, set:t, call, , allow', 'g2, set:t, set:u'],
    '1:13 policy-row-never-matches',
  ],
  ['a prompt that was not observed', ['p, agent:a, prompt:crm/great, get, , allow'], '1:13 policy-unknown-tool'],
  ['a resource on all servers', ['p, agent:a, resource:*, read, , allow'], '1:13 policy-grant-too-wide'],
  ['a resource of an unknown server', ['p, agent:a, resource:cmr/x:1, read, , allow'], '1:13 policy-unknown-server'],
  ['a grant on all servers', ['p, agent:a, tool:*, call, , allow'], '1:13 policy-grant-too-wide'],
  [
    'a row that is written twice',
    ['p, agent:a, tool:crm/read, call, , allow', 'p,agent:a,tool:crm/read,call,,allow'],
    '2:3 policy-row-duplicate',
  ],
  [
    'an allow within a wider allow',
    ['p, agent:a, tool:crm/read, call, "args.x == 1", allow', 'p, agent:a, tool:crm/*, call, , allow'],
    '1:4 policy-row-shadowed',
  ],
  [
    'an allow that a wider deny forbids',
    ['p, agent:a, tool:crm/*, *, , deny', 'p, agent:a, tool:crm/read, call, , allow'],
    '2:4 policy-row-shadowed',
  ],
  [
    'an allow that the role of the agent has',
    ['p, agent:a, tool:crm/read, call, , allow', 'p, role:r, tool:crm/*, call, , allow', 'g, agent:a, role:r'],
    '1:4 policy-row-shadowed',
  ],
  [
    'an allow that all agents have',
    ['p, agent:a, tool:crm/read, call, , allow', 'p, agent:*, tool:crm/read, call, , allow'],
    '1:4 policy-row-shadowed',
  ],
  [
    'an allow that its set has',
    ['p, agent:a, tool:crm/read, call, , allow', 'p, agent:a, set:s, call, , allow', 'g2, tool:crm/read, set:s'],
    '1:4 policy-row-shadowed',
  ],
])('%s causes a warning', (_, rows, expected) => {
  expect(warnings(...rows)).toEqual([`policy.csv:${expected} warning`]);
});
test.each([
  ['a deny within a wider allow', ['p, agent:a, tool:crm/*, call, , allow', 'p, agent:a, tool:crm/read, call, , deny']],
  [
    'an allow within a conditional deny',
    ['p, agent:a, tool:crm/*, call, "args.x == 1", deny', 'p, agent:a, tool:crm/read, call, , allow'],
  ],
  ['a deny on all servers', ['p, agent:a, tool:*/drop*, call, , deny']],
])('%s causes no warning', (_, rows) => {
  expect(warnings(...rows)).toEqual([]);
});
