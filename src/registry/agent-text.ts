import { yamlScalar } from './server-text.ts';

/** The text of a new file of `registry/agents/`, whose first line names its schema. */
export function renderAgentYaml(agent: {
  readonly name: string;
  readonly title: string;
  readonly owner: string;
}): string {
  return [
    '# yaml-language-server: $schema=../schema/agent.schema.json',
    `name: ${agent.name}`,
    `title: ${yamlScalar(agent.title)}`,
    `owner: ${yamlScalar(agent.owner)}`,
    '',
  ].join('\n');
}
