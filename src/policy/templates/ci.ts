import { aligned, type FirstPolicy, grant, idOf, type TemplateInput } from './template.ts';

/**
 * For a job that nobody watches: each tool is named by a row of its own, and there is no set, role or pattern that could
 * come to mean more. Without named tools, every tool that only looks.
 */
export function ciPolicy({ agent, tools, named }: TemplateInput): FirstPolicy {
  const isGranted = (id: string, risk: string): boolean => (named.length > 0 ? named.includes(id) : risk === 'read');
  const may = tools.filter((tool) => isGranted(idOf(tool), tool.risk)).map(idOf);
  const mayNot = tools.map(idOf).filter((id) => !may.includes(id));
  const lines = [
    '# The tools that this job needs, each by its name. What no row names is refused.',
    '# who, may do it to, action, when, effect',
    ...aligned(may.map((id) => grant(`agent:${agent}`, id))),
  ];
  return { policy: `${lines.join('\n')}\n`, may, mayNot };
}
