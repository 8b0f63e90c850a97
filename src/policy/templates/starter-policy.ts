import {
  alignColumns,
  grantRow,
  inputRequestGrants,
  memberRows,
  type StarterPolicy,
  serverNames,
  type TemplateInput,
  toolId,
  toolIds,
} from './template.ts';

export type PolicyTemplate = 'personal' | 'team' | 'ci';

/** The policy templates, by name, each with a line on its use. */
export const POLICY_TEMPLATES: Readonly<
  Record<PolicyTemplate, { readonly what: string; readonly make: (input: TemplateInput) => StarterPolicy }>
> = {
  personal: { what: 'single user, read-only by default, writes granted per tool', make: personalPolicy },
  team: { what: 'several agents with the roles viewer, contributor and maintainer', make: teamPolicy },
  ci: { what: 'an unattended job: every tool granted by name', make: ciPolicy },
};

/** The texts of a starter policy by path within the policy directory: grants and their policy test. */
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
 * For an unattended job: each tool is granted by a row of its own, without sets, roles and patterns that could grow.
 * Grants the named tools; without named tools, every `read` tool.
 */
export function ciPolicy({ agent, tools, named }: TemplateInput): StarterPolicy {
  const isGranted = (id: string, risk: string): boolean => (named.length > 0 ? named.includes(id) : risk === 'read');
  const may = tools.filter((tool) => isGranted(toolId(tool), tool.risk)).map(toolId);
  const mayNot = tools.map(toolId).filter((id) => !may.includes(id));
  const lines = [
    '# The tools that this job needs, each by its name. Everything else is refused.',
    '# who, may do it to, action, when, effect',
    ...alignColumns(may.map((id) => grantRow(`agent:${agent}`, id))),
  ];
  return { policy: `${lines.join('\n')}\n`, may, mayNot };
}

/**
 * For a single user: `read` tools are allowed as a set, each `write` tool by a row of its own. Destructive tools are
 * denied, even if a wider row allows them.
 */
export function personalPolicy({ agent, tools }: TemplateInput): StarterPolicy {
  const subject = `agent:${agent}`;
  const [read, write, destructive] = [toolIds(tools, 'read'), toolIds(tools, 'write'), toolIds(tools, 'destructive')];
  const grants = [
    ...(read.length > 0 ? [grantRow(subject, 'set:read')] : []),
    ...write.map((id) => grantRow(subject, id)),
    ...(destructive.length > 0 ? [grantRow(subject, 'set:destructive', 'deny')] : []),
    ...inputRequestGrants(subject, tools, ['elicit', 'roots']),
  ];
  const sets = [...memberRows('set:read', read), ...memberRows('set:destructive', destructive)];
  const lines = [
    '# Read-only tools are allowed as a set. Each tool that writes has a row of its own: delete the rows that the agent does',
    '# not need. Destructive tools are denied; to allow one, first remove it from the set.',
    '# Servers may ask the user for input (elicit) and for the open directories (roots), but not use the model (sample).',
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
 * For several users, by role: a viewer calls `read` tools, a contributor `write` tools as well, a maintainer all pinned
 * tools. The first agent is a viewer.
 */
export function teamPolicy({ agent, tools }: TemplateInput): StarterPolicy {
  const [read, write, destructive] = [toolIds(tools, 'read'), toolIds(tools, 'write'), toolIds(tools, 'destructive')];
  const grants = [
    ...(read.length > 0 ? [grantRow(VIEWER, 'set:read')] : []),
    ...(write.length > 0 ? [grantRow(CONTRIBUTOR, 'set:write')] : []),
    ...(destructive.length > 0 ? [grantRow(MAINTAINER, 'set:destructive')] : []),
    ...inputRequestGrants(VIEWER, tools, ['elicit']),
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
    '# A viewer may call read-only tools, a contributor also tools that write, a maintainer all pinned tools. To change the',
    '# role of an agent, edit its row; each agent has a file of its own in `registry/agents/`.',
    '# Servers may ask the user for input (elicit), but not for directories (roots), which would widen their access.',
    '# who, may do it to, action, when, effect',
    ...alignColumns(grants),
    '',
    ...alignColumns(roles),
    ...(sets.length > 0 ? ['', ...alignColumns(sets)] : []),
  ];
  return { policy: `${lines.join('\n')}\n`, may: read, mayNot: [...write, ...destructive] };
}
