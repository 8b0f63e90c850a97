import { alignColumns, grantRow, type StarterPolicy, type TemplateInput, toolId } from './template.ts';

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
