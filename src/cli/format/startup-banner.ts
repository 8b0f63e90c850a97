import type { DaemonSummary } from '../../app/admin/daemon-summary.ts';
import type { Settings } from '../../app/settings.ts';
import { escapeControlCharacters } from '../../lib/text/escape-control-characters.ts';
import { shimCommand } from '../daemon/shim-command.ts';
import { pluralize } from '../framework/output.ts';

/** Text on standard error when the broker is ready: servers, permissions of each agent, and config entries to paste. */
export function startupBanner(
  summary: DaemonSummary,
  context: {
    readonly command: readonly string[];
    readonly data: string;
    readonly settings: Settings;
    readonly version: string;
  },
): string {
  const { url, agents, servers, firstKey, revision } = summary;
  const lines = [
    `seneschal ${context.version} ${url === undefined ? 'on its socket' : `on ${url}`}  policy ${revision.slice(7, 15)}  data ${context.data}`,
    '',
    ...servers.map(
      ({ name, state, tools, blocked }) =>
        `  server ${name}: ${state}, ${pluralize(tools, 'tool')}${blocked > 0 ? `, ${blocked} blocked (run \`seneschal registry diff\`)` : ''}`,
    ),
    '',
    ...agents.map(
      ({ id, tools }) =>
        `  ${id} may call ${pluralize(tools.length, 'tool')}${tools.length > 0 ? ': ' : ''}${tools.map(escapeControlCharacters).join(' ')}`,
    ),
  ];
  const agent = firstKey?.agent ?? agents[0]?.id.slice('agent:'.length);
  if (agent === undefined) return lines.join('\n');
  lines.push(
    '',
    `stdio entry for agent:${agent} (paste it into mcpServers of the agent's config):`,
    entry(shimCommand({ agent }, context.command, { ...context.settings, data: context.data })),
  );
  if (url !== undefined) {
    const key = firstKey?.key ?? '<key>';
    lines.push(
      '',
      `HTTP entry for agent:${agent} (${firstKey ? 'this key is shown only once' : `create a key with \`seneschal keys create agent:${agent}\``}):`,
      httpEntry(url, key),
    );
  }
  return `${lines.join('\n')}\n`;
}

function httpEntry(url: string, key: string): string {
  return entry({ type: 'http', url, headers: { Authorization: `Bearer ${key}` } });
}

function entry(server: object): string {
  return JSON.stringify({ mcpServers: { seneschal: server } });
}
