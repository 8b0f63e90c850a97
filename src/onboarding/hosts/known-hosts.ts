import { existsSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import type { Problem } from '../../domain/problem.ts';
import { didYouMean } from '../../lib/text/did-you-mean.ts';

/** A program in which agents run: an MCP host. */
export type HostId = 'claude-desktop' | 'claude-code' | 'cursor' | 'cline' | 'vscode';

/** `user`: all projects of the user. `project`: a file in the project. `local`: one project, in a file of the user. */
export type HostScope = 'user' | 'project' | 'local';

/** Syntax of a reference to a secret in a host's config; `none` if the host only starts programs and takes no URL. */
export type SecretStyle = 'input' | 'env-prefixed' | 'env-plain' | 'none';

/** A host and the format of its entries. */
export interface KnownHost {
  readonly id: HostId;
  /** Product name. */
  readonly title: string;
  readonly secrets: SecretStyle;
  /** Value of `type` in an HTTP entry; undefined if the host reads only `url`, or supports no HTTP. */
  readonly httpType?: string;
}

/** The known hosts, by their documentation. */
export const KNOWN_HOSTS: Readonly<Record<HostId, KnownHost>> = {
  'claude-desktop': { id: 'claude-desktop', title: 'Claude Desktop', secrets: 'none' },
  'claude-code': { id: 'claude-code', title: 'Claude Code', secrets: 'env-plain', httpType: 'http' },
  cursor: { id: 'cursor', title: 'Cursor', secrets: 'env-prefixed' },
  cline: { id: 'cline', title: 'Cline', secrets: 'env-prefixed', httpType: 'streamableHttp' },
  vscode: { id: 'vscode', title: 'VS Code', secrets: 'input', httpType: 'http' },
};

/** Facts of the machine that decide where config files are. */
export interface Machine {
  readonly userHome: string;
  /** `process.platform`; any value but `darwin` and `win32` is treated as Linux. */
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the current project. */
  readonly project: string;
}

/** One place where a host keeps its servers: a file, and the path to the map in it. */
export interface ConfigLocation {
  readonly host: HostId;
  readonly scope: HostScope;
  readonly file: string;
  /** Transport of an entry with a `url` and no `type`. Default: streamable HTTP. */
  readonly untypedUrl?: 'sse';
  /** Keys from the root to the map of servers by name. */
  readonly path: readonly string[];
}

/** Lists the config locations of every known host, whether or not the files exist, in the order of precedence. */
export function configLocations(machine: Machine): readonly ConfigLocation[] {
  const join = (...parts: readonly string[]): string =>
    machine.platform === 'win32' ? win32.join(...parts) : posix.join(...parts);
  const { userHome, env, project } = machine;
  const data = applicationData(machine);
  const claudeJson = join(env.CLAUDE_CONFIG_DIR || userHome, '.claude.json');
  const cline = join('settings', 'cline_mcp_settings.json');
  const mcpServers = ['mcpServers'];
  const locations: readonly ConfigLocation[] = [
    { host: 'claude-code', scope: 'local', file: claudeJson, path: ['projects', project, 'mcpServers'] },
    { host: 'claude-code', scope: 'project', file: join(project, '.mcp.json'), path: mcpServers },
    { host: 'claude-code', scope: 'user', file: claudeJson, path: mcpServers },
    {
      host: 'claude-desktop',
      scope: 'user',
      file: join(data, 'Claude', 'claude_desktop_config.json'),
      path: mcpServers,
    },
    { host: 'cursor', scope: 'project', file: join(project, '.cursor', 'mcp.json'), path: mcpServers },
    { host: 'cursor', scope: 'user', file: join(userHome, '.cursor', 'mcp.json'), path: mcpServers },
    { host: 'vscode', scope: 'project', file: join(project, '.vscode', 'mcp.json'), path: ['servers'] },
    { host: 'vscode', scope: 'user', file: join(data, 'Code', 'User', 'mcp.json'), path: ['servers'] },
    {
      host: 'cline',
      scope: 'user',
      file: env.CLINE_MCP_SETTINGS_PATH || join(userHome, '.cline', 'data', cline),
      path: mcpServers,
      untypedUrl: 'sse',
    },
    // The file of the extension from before it shared one with the command line. Cline migrates it once.
    {
      host: 'cline',
      scope: 'user',
      file: join(data, 'Code', 'User', 'globalStorage', 'saoudrizwan.claude-dev', cline),
      path: mcpServers,
      untypedUrl: 'sse',
    },
  ];
  const userFiles = new Set(locations.filter(({ scope }) => scope === 'user').map(({ file }) => file));
  // When the project is the user's home directory, both scopes name the same file.
  return locations.filter(({ scope, file }) => scope !== 'project' || !userFiles.has(file));
}

/** Directory in which desktop programs keep the user's settings. */
function applicationData({ userHome, platform, env }: Machine): string {
  if (platform === 'darwin') return posix.join(userHome, 'Library', 'Application Support');
  if (platform === 'win32') return env.APPDATA || win32.join(userHome, 'AppData', 'Roaming');
  return env.XDG_CONFIG_HOME || posix.join(userHome, '.config');
}

/** Scope of the files that are written. */
export type WritableScope = 'user' | 'project';

/** Ids of all hosts, in display order. */
export const HOST_IDS: readonly HostId[] = ['claude-code', 'claude-desktop', 'cursor', 'vscode', 'cline'];

/** Parses the name of a host; the problem suggests a similar name. */
export function parseHostId(name: string): HostId | Problem {
  const host = HOST_IDS.find((id) => id === name);
  if (host !== undefined) return host;
  const meant = didYouMean(name, HOST_IDS);
  const hint = meant === undefined ? `write one of ${HOST_IDS.join(', ')}` : `did you mean \`${meant}\`?`;
  return { code: 'hosts-unknown', at: name, message: 'unknown agent host', hint };
}

/** The existing files of a host in a scope; if none exists, the one that the host reads first. */
export function locationsToWrite(
  host: HostId,
  scope: WritableScope,
  machine: Machine,
): readonly ConfigLocation[] | Problem {
  const locations = configLocations(machine).filter((location) => location.host === host && location.scope === scope);
  const [first] = locations;
  if (first === undefined) {
    const message = `${KNOWN_HOSTS[host].title} has no config file per project`;
    return { code: 'hosts-unknown', at: '--scope', message, hint: 'leave out `--scope project`' };
  }
  const existing = locations.filter(({ file }) => existsSync(file));
  return existing.length > 0 ? existing : [first];
}
