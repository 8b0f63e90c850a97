import {
  alignColumns,
  expectations,
  grantRow,
  memberRows,
  type StarterPolicy,
  type TemplateInput,
  toolIds,
} from './template.ts';

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
