import { expect, test } from 'vitest';
import { checkPolicy } from '../../../src/policy/lint/check.ts';
import { loadPolicySet } from '../../../src/policy/load.ts';
import { readSuite, runSuite } from '../../../src/policy/suite.ts';
import { type PolicyTemplate, starterPolicyFiles } from '../../../src/policy/templates/starter-policy.ts';
import type { TemplateTool } from '../../../src/policy/templates/template.ts';

const TOOLS: readonly TemplateTool[] = [
  { server: 'files', tool: 'read_file', risk: 'read' },
  { server: 'files', tool: 'create_directory', risk: 'write' },
  { server: 'files', tool: 'move_file', risk: 'destructive' },
  { server: 'memory', tool: 'read_graph', risk: 'read' },
];

interface Made {
  readonly policy: string;
  readonly checked: number;
  readonly failures: readonly unknown[];
  readonly warnings: readonly string[];
}

/** Loads, tests and checks the files of a template as `init` does. */
function made(template: PolicyTemplate, tools = TOOLS, named: readonly string[] = []): Made {
  const files = starterPolicyFiles(template, { agent: 'me', tools, named });
  const policy = files['policy.csv'] ?? '';
  const set = loadPolicySet({ 'policy.csv': policy });
  const suite = readSuite('tests/me.yaml', files['tests/me.yaml'] ?? '');
  const context = {
    agents: ['agent:me'],
    tools: tools.map(({ server, tool }) => `tool:${server}/${tool}`),
    servers: tools.map(({ server }) => server),
  };
  return {
    policy,
    ...runSuite(set, [suite], {
      nowMs: 0,
      principalOf: () => ({ owner: 'x', proof: 'api-key' }),
      targetOf: () => undefined,
    }),
    warnings: checkPolicy(set, context).map(({ code }) => code),
  };
}

const rowsOf = (policy: string): readonly string[] =>
  policy
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replaceAll(/\s+/g, ' '));

test('a personal policy allows read tools as a set, write tools by rows of their own, and denies destructive tools', () => {
  expect(rowsOf(made('personal').policy)).toEqual([
    'p, agent:me, set:read, call, , allow',
    'p, agent:me, tool:files/create_directory, call, , allow',
    'p, agent:me, set:destructive, call, , deny',
    'p, agent:me, server:files, elicit, , allow',
    'p, agent:me, server:files, roots, , allow',
    'p, agent:me, server:memory, elicit, , allow',
    'p, agent:me, server:memory, roots, , allow',
    'g2, tool:files/read_file, set:read',
    'g2, tool:memory/read_graph, set:read',
    'g2, tool:files/move_file, set:destructive',
  ]);
});

test('a team policy has three roles, and the first agent has the lowest', () => {
  expect(rowsOf(made('team').policy)).toEqual([
    'p, role:viewer, set:read, call, , allow',
    'p, role:contributor, set:write, call, , allow',
    'p, role:maintainer, set:destructive, call, , allow',
    'p, role:viewer, server:files, elicit, , allow',
    'p, role:viewer, server:memory, elicit, , allow',
    'g, agent:me, role:viewer',
    'g, role:contributor, role:viewer',
    'g, role:maintainer, role:contributor',
    'g2, tool:files/read_file, set:read',
    'g2, tool:memory/read_graph, set:read',
    'g2, tool:files/create_directory, set:write',
    'g2, tool:files/move_file, set:destructive',
  ]);
});

test('a ci policy allows the named tools and nothing else', () => {
  expect(rowsOf(made('ci', TOOLS, ['tool:files/create_directory']).policy)).toEqual([
    'p, agent:me, tool:files/create_directory, call, , allow',
  ]);
  expect(rowsOf(made('ci').policy)).toEqual([
    'p, agent:me, tool:files/read_file, call, , allow',
    'p, agent:me, tool:memory/read_graph, call, , allow',
  ]);
});

test.each(['personal', 'team', 'ci'] as const)(
  'the test of a %s policy speaks of every tool and passes',
  (template) => {
    expect(made(template)).toMatchObject({ checked: 6, failures: [] });
  },
);

test.each(['personal', 'ci'] as const)('a %s policy gives no warning', (template) => {
  expect(made(template).warnings).toEqual([]);
});

test('a team policy causes warnings about the roles without members', () => {
  expect(made('team').warnings).toEqual(['policy-role-without-members', 'policy-role-without-members']);
});

test.each(['personal', 'team', 'ci'] as const)('a %s policy of tools of one risk alone can be loaded', (template) => {
  for (const tool of TOOLS) expect(made(template, [tool])).toMatchObject({ checked: 2, failures: [] });
});
