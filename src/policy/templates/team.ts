import { aligned, type FirstPolicy, grant, idsOf, members, questions, type TemplateInput } from './template.ts';

const VIEWER = 'role:viewer';
const CONTRIBUTOR = 'role:contributor';
const MAINTAINER = 'role:maintainer';

/**
 * For agents of several people, by role: a viewer looks, a contributor changes as well, a maintainer may do everything
 * that was agreed to. The first agent is a viewer.
 */
export function teamPolicy({ agent, tools }: TemplateInput): FirstPolicy {
  const [read, write, destructive] = [idsOf(tools, 'read'), idsOf(tools, 'write'), idsOf(tools, 'destructive')];
  const grants = [
    ...(read.length > 0 ? [grant(VIEWER, 'set:read')] : []),
    ...(write.length > 0 ? [grant(CONTRIBUTOR, 'set:write')] : []),
    ...(destructive.length > 0 ? [grant(MAINTAINER, 'set:destructive')] : []),
    ...questions(VIEWER, tools, ['elicit']),
  ];
  const roles = [
    ['g', `agent:${agent}`, VIEWER],
    ['g', CONTRIBUTOR, VIEWER],
    ['g', MAINTAINER, CONTRIBUTOR],
  ];
  const sets = [
    ...members('set:read', read),
    ...members('set:write', write),
    ...members('set:destructive', destructive),
  ];
  const lines = [
    '# A viewer looks, a contributor changes as well, a maintainer may do all that was agreed to. To give an agent another',
    '# role, write it in the row of the agent; each agent has a file of its own in `registry/agents/`.',
    '# A server may ask what its user knows (elicit); not for directories (roots), which would change what it may reach.',
    '# who, may do it to, action, when, effect',
    ...aligned(grants),
    '',
    ...aligned(roles),
    ...(sets.length > 0 ? ['', ...aligned(sets)] : []),
  ];
  return { policy: `${lines.join('\n')}\n`, may: read, mayNot: [...write, ...destructive] };
}
