import type { Risk } from '../../domain/target.ts';
import type { HttpTransport, StdioTransport } from './settings.ts';

/** One tool as it is written into the file of its server. */
export interface ToolYaml {
  readonly tool: string;
  readonly risk: Risk;
  /** What speaks for the risk: a comment for the person who looks at it. One line. */
  readonly why: string;
}

/** What a new file of `registry/servers/` says. Everything else has its strict default. */
export interface ServerYaml {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly transport: StdioTransport | HttpTransport;
  readonly tools: readonly ToolYaml[];
}

/** The text of a new file of `registry/servers/`, whose first line names its schema. */
export function renderServerYaml({ name, title, description, transport, tools }: ServerYaml): string {
  const lines = [
    '# yaml-language-server: $schema=../schema/server.schema.json',
    `name: ${name}`,
    ...(title === undefined ? [] : [`title: ${yamlScalar(title)}`]),
    ...(description === undefined ? [] : [`description: ${yamlScalar(description)}`]),
    'transport:',
    ...transportLines(transport).map((line) => `  ${line}`),
    // Written out, though it is the default: who reads the file first sees that nothing new is let in unseen.
    'pin: lock',
    ...(tools.length === 0 ? [] : ['tools:', ...tools.map(toolLine)]),
  ];
  return `${lines.join('\n')}\n`;
}

function transportLines(transport: StdioTransport | HttpTransport): readonly string[] {
  if (transport.type !== 'stdio') {
    return [`type: ${transport.type}`, `url: ${yamlScalar(transport.url)}`, ...mapLines('headers', transport.headers)];
  }
  const { command, args, env, cwd } = transport;
  return [
    'type: stdio',
    `command: ${yamlScalar(command)}`,
    ...(args.length === 0 ? [] : [`args: [${args.map(yamlScalar).join(', ')}]`]),
    ...mapLines('env', env),
    ...(cwd === undefined ? [] : [`cwd: ${yamlScalar(cwd)}`]),
  ];
}

function mapLines(key: string, values: Readonly<Record<string, string>>): readonly string[] {
  const entries = Object.entries(values);
  if (entries.length === 0) return [];
  return [`${key}:`, ...entries.map(([name, value]) => `  ${yamlScalar(name)}: ${yamlScalar(value)}`)];
}

function toolLine({ tool, risk, why }: ToolYaml): string {
  return `  ${yamlScalar(tool)}: { risk: ${risk} } # ${why}`;
}

/** Words that YAML readers of any age take for something else than text. */
const NON_STRING_SCALAR = /^(?:true|false|yes|no|on|off|null|y|n|~)$/i;

/** A text as YAML: plain where no reader can take it for anything else, else in double quotes. */
export function yamlScalar(text: string): string {
  const isPlain = /^(?:[A-Za-z_/]|\.{1,2}\/)[A-Za-z0-9_./@-]*$/.test(text) && !NON_STRING_SCALAR.test(text);
  // JSON text is YAML, but for a few characters that JSON leaves as they are and YAML files may not hold.
  return isPlain
    ? text
    : JSON.stringify(text).replace(
        /[\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g,
        (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
}

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
