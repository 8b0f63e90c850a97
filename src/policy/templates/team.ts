import {
  alignColumns,
  expectations,
  grantRow,
  memberRows,
  type StarterPolicy,
  type TemplateInput,
  toolIds,
} from './template.ts';

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
