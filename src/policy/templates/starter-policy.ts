import {
  alignColumns,
  expectations,
  grantRow,
  memberRows,
  type StarterPolicy,
  serverNames,
  type TemplateInput,
  toolId,
  toolIds,
} from './template.ts';

export type PolicyTemplate = 'personal' | 'team' | 'ci';

/** The templates of first policies, by name, each with one line on whom it is for. */
export const POLICY_TEMPLATES: Readonly<
  Record<PolicyTemplate, { readonly what: string; readonly make: (input: TemplateInput) => StarterPolicy }>
> = {
  personal: { what: 'one agent of one person: it looks, and changes what a row names', make: personalPolicy },
  team: { what: 'several agents by role: viewer, contributor, maintainer', make: teamPolicy },
  ci: { what: 'a job that nobody watches: tools by name alone', make: ciPolicy },
};

/** The texts of a first policy by path within the policy directory: grants, and the test that says what must stay true. */
export function starterPolicyFiles(template: PolicyTemplate, input: TemplateInput): Readonly<Record<string, string>> {
  const policy = POLICY_TEMPLATES[template].make(input);
  return { 'policy.csv': policy.policy, [`tests/${input.agent}.yaml`]: renderTests(input, policy) };
}

function renderTests({ agent, tools }: TemplateInput, { may, mayNot }: StarterPolicy): string {
  const calls = (ids: readonly string[]): readonly string[] => ids.map((id) => `call ${id}`);
  const list = (key: string, actions: readonly string[]): readonly string[] =>
    actions.length === 0 ? [] : [`  ${key}:`, ...actions.map((act) => `    - ${act}`)];
  const ungranted = serverNames(tools).map((server) => `sample server:${server}`);
  return [
    '# yaml-language-server: $schema=../../registry/schema/policy-test.schema.json',
    `- as: agent:${agent}`,
    ...list('may', calls(may)),
    ...list('may_not', [...calls(mayNot), ...ungranted]),
    '',
  ].join('\n');
}

/**
 * For a job that nobody watches: each tool is named by a row of its own, and there is no set, role or pattern that could
 * come to mean more. Without named tools, every tool that only looks.
 */
export function ciPolicy({ agent, tools, named }: TemplateInput): StarterPolicy {
  const isGranted = (id: string, risk: string): boolean => (named.length > 0 ? named.includes(id) : risk === 'read');
  const may = tools.filter((tool) => isGranted(toolId(tool), tool.risk)).map(toolId);
  const mayNot = tools.map(toolId).filter((id) => !may.includes(id));
  const lines = [
    '# The tools that this job needs, each by its name. What no row names is refused.',
    '# who, may do it to, action, when, effect',
    ...alignColumns(may.map((id) => grantRow(`agent:${agent}`, id))),
  ];
  return { policy: `${lines.join('\n')}\n`, may, mayNot };
}

/**
 * For the agent of one person: it may look at everything, and change what a row names. What can destroy is refused, also
 * where a wider row would allow it.
 */
export function personalPolicy({ agent, tools }: TemplateInput): StarterPolicy {
  const subject = `agent:${agent}`;
  const [read, write, destructive] = [toolIds(tools, 'read'), toolIds(tools, 'write'), toolIds(tools, 'destructive')];
  const grants = [
    ...(read.length > 0 ? [grantRow(subject, 'set:read')] : []),
    ...write.map((id) => grantRow(subject, id)),
    ...(destructive.length > 0 ? [grantRow(subject, 'set:destructive', 'deny')] : []),
    ...expectations(subject, tools, ['elicit', 'roots']),
  ];
  const sets = [...memberRows('set:read', read), ...memberRows('set:destructive', destructive)];
  const lines = [
    '# What can be looked at is allowed as a set. Each tool that changes something has a row of its own: delete those that',
    '# the agent does not need. What can destroy is refused; to allow one of these tools, take it out of the set first.',
    '# A server may ask what its user knows (elicit) and which directories are open (roots), and never for the model (sample).',
    '# who, may do it to, action, when, effect',
    ...alignColumns(grants),
    ...(sets.length > 0 ? ['', ...alignColumns(sets)] : []),
  ];
  return { policy: `${lines.join('\n')}\n`, may: [...read, ...write], mayNot: destructive };
}

const VIEWER = 'role:viewer';
const CONTRIBUTOR = 'role:contributor';
const MAINTAINER = 'role:maintainer';

/**
 * For agents of several people, by role: a viewer looks, a contributor changes as well, a maintainer may do everything
 * that was agreed to. The first agent is a viewer.
 */
export function teamPolicy({ agent, tools }: TemplateInput): StarterPolicy {
  const [read, write, destructive] = [toolIds(tools, 'read'), toolIds(tools, 'write'), toolIds(tools, 'destructive')];
  const grants = [
    ...(read.length > 0 ? [grantRow(VIEWER, 'set:read')] : []),
    ...(write.length > 0 ? [grantRow(CONTRIBUTOR, 'set:write')] : []),
    ...(destructive.length > 0 ? [grantRow(MAINTAINER, 'set:destructive')] : []),
    ...expectations(VIEWER, tools, ['elicit']),
  ];
  const roles = [
    ['g', `agent:${agent}`, VIEWER],
    ['g', CONTRIBUTOR, VIEWER],
    ['g', MAINTAINER, CONTRIBUTOR],
  ];
  const sets = [
    ...memberRows('set:read', read),
    ...memberRows('set:write', write),
    ...memberRows('set:destructive', destructive),
  ];
  const lines = [
    '# A viewer looks, a contributor changes as well, a maintainer may do all that was agreed to. To give an agent another',
    '# role, write it in the row of the agent; each agent has a file of its own in `registry/agents/`.',
    '# A server may ask what its user knows (elicit); not for directories (roots), which would change what it may reach.',
    '# who, may do it to, action, when, effect',
    ...alignColumns(grants),
    '',
    ...alignColumns(roles),
    ...(sets.length > 0 ? ['', ...alignColumns(sets)] : []),
  ];
  return { policy: `${lines.join('\n')}\n`, may: read, mayNot: [...write, ...destructive] };
}
