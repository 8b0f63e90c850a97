import type { Risk } from '../../domain/target.ts';
import type { HttpTransport, StdioTransport } from './settings.ts';

/** One tool in the file of its server. */
export interface ToolYaml {
  readonly tool: string;
  readonly risk: Risk;
  /** Reason for the risk, rendered as a comment. One line. */
  readonly why: string;
}

/** The settings of a new file of `registry/servers/`. All others keep their strict defaults. */
export interface ServerYaml {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly transport: StdioTransport | HttpTransport;
  readonly tools: readonly ToolYaml[];
}

/** Renders a new file of `registry/servers/`, whose first line names its schema. */
export function renderServerYaml({ name, title, description, transport, tools }: ServerYaml): string {
  const lines = [
    '# yaml-language-server: $schema=../schema/server.schema.json',
    `name: ${name}`,
    ...(title === undefined ? [] : [`title: ${yamlScalar(title)}`]),
    ...(description === undefined ? [] : [`description: ${yamlScalar(description)}`]),
    'transport:',
    ...transportLines(transport).map((line) => `  ${line}`),
    // The default, written out so that readers of the file see that new tools are not accepted automatically.
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

/** Words that some YAML version parses as something other than a string. */
const NON_STRING_SCALAR = /^(?:true|false|yes|no|on|off|null|y|n|~)$/i;

/** Renders a string as YAML: plain when every parser reads it as a string, else in double quotes. */
export function yamlScalar(text: string): string {
  const isPlain = /^(?:[A-Za-z_/]|\.{1,2}\/)[A-Za-z0-9_./@-]*$/.test(text) && !NON_STRING_SCALAR.test(text);
  // A JSON string is a YAML string, except for a few characters that JSON does not escape and YAML does not allow.
  return isPlain
    ? text
    : JSON.stringify(text).replace(
        /[\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g,
        (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
}

/** Renders a new file of `registry/agents/`, whose first line names its schema. */
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
