import { aligned, type FirstPolicy, grant, idsOf, members, questions, type TemplateInput } from './template.ts';

/**
 * For the agent of one person: it may look at everything, and change what a row names. What can destroy is refused, also
 * where a wider row would allow it.
 */
export function personalPolicy({ agent, tools }: TemplateInput): FirstPolicy {
  const subject = `agent:${agent}`;
  const [read, write, destructive] = [idsOf(tools, 'read'), idsOf(tools, 'write'), idsOf(tools, 'destructive')];
  const grants = [
    ...(read.length > 0 ? [grant(subject, 'set:read')] : []),
    ...write.map((id) => grant(subject, id)),
    ...(destructive.length > 0 ? [grant(subject, 'set:destructive', 'deny')] : []),
    ...questions(subject, tools, ['elicit', 'roots']),
  ];
  const sets = [...members('set:read', read), ...members('set:destructive', destructive)];
  const lines = [
    '# What can be looked at is allowed as a set. Each tool that changes something has a row of its own: delete those that',
    '# the agent does not need. What can destroy is refused; to allow one of these tools, take it out of the set first.',
    '# A server may ask what its user knows (elicit) and which directories are open (roots), and never for the model (sample).',
    '# who, may do it to, action, when, effect',
    ...aligned(grants),
    ...(sets.length > 0 ? ['', ...aligned(sets)] : []),
  ];
  return { policy: `${lines.join('\n')}\n`, may: [...read, ...write], mayNot: destructive };
}
