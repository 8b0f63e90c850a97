import { existsSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import type { Problem } from '../../domain/problem.ts';
import { didYouMean } from '../../lib/text/did-you-mean.ts';

/** A program that agents run in. */
export type HostId = 'claude-desktop' | 'claude-code' | 'cursor' | 'cline' | 'vscode';

/** `user`: for all that the user does; `project`: a file within the project; `local`: the user's, for one project. */
export type HostScope = 'user' | 'project' | 'local';

/** How a host writes a secret that it looks up itself; `none` where its file takes programs to start and no url. */
export type SecretStyle = 'input' | 'env-prefixed' | 'env-plain' | 'none';

export interface KnownHost {
  readonly id: HostId;
  /** The name that people know it by. */
  readonly title: string;
  readonly secrets: SecretStyle;
  /** The value of `type` in an HTTP entry; undefined where the host reads the `url` alone, or none. */
  readonly httpType?: string;
}

/** What an entry may hold, per host, as its documentation says. */
export const KNOWN_HOSTS: Readonly<Record<HostId, KnownHost>> = {
  'claude-desktop': { id: 'claude-desktop', title: 'Claude Desktop', secrets: 'none' },
  'claude-code': { id: 'claude-code', title: 'Claude Code', secrets: 'env-plain', httpType: 'http' },
  cursor: { id: 'cursor', title: 'Cursor', secrets: 'env-prefixed' },
  cline: { id: 'cline', title: 'Cline', secrets: 'env-prefixed', httpType: 'streamableHttp' },
  vscode: { id: 'vscode', title: 'VS Code', secrets: 'input', httpType: 'http' },
};

/** Where a program is looked for. Everything that the machine says comes in. */
export interface Machine {
  readonly home: string;
  /** As `process.platform` says it; what is neither `darwin` nor `win32` is taken for Linux. */
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the project whose files are read too. */
  readonly project: string;
}

/** One place where a host keeps servers: a file, and the way to the map within it. */
export interface ConfigLocation {
  readonly host: HostId;
  readonly scope: HostScope;
  readonly file: string;
  /** What an entry with a `url` and no `type` is to this host. */
  readonly untypedUrl?: 'sse';
  /** Keys that lead from the root to the map of servers by name. */
  readonly path: readonly string[];
}

/** Every place of every known host, in the order in which the host itself prefers them; whether or not it is there. */
export function configLocations(machine: Machine): readonly ConfigLocation[] {
  const join = (...parts: readonly string[]): string =>
    machine.platform === 'win32' ? win32.join(...parts) : posix.join(...parts);
  const { home, env, project } = machine;
  const data = applicationData(machine);
  const claudeJson = join(env.CLAUDE_CONFIG_DIR || home, '.claude.json');
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
    { host: 'cursor', scope: 'user', file: join(home, '.cursor', 'mcp.json'), path: mcpServers },
    { host: 'vscode', scope: 'project', file: join(project, '.vscode', 'mcp.json'), path: ['servers'] },
    { host: 'vscode', scope: 'user', file: join(data, 'Code', 'User', 'mcp.json'), path: ['servers'] },
    {
      host: 'cline',
      scope: 'user',
      file: env.CLINE_MCP_SETTINGS_PATH || join(home, '.cline', 'data', cline),
      path: mcpServers,
      untypedUrl: 'sse',
    },
    // Where the extension kept them before it shared a file with the command line; it takes them over from there once.
    {
      host: 'cline',
      scope: 'user',
      file: join(data, 'Code', 'User', 'globalStorage', 'saoudrizwan.claude-dev', cline),
      path: mcpServers,
      untypedUrl: 'sse',
    },
  ];
  const userFiles = new Set(locations.filter(({ scope }) => scope === 'user').map(({ file }) => file));
  // In the home directory the file of the project is that of the user.
  return locations.filter(({ scope, file }) => scope !== 'project' || !userFiles.has(file));
}

/** Where programs with a window keep what is the user's. */
function applicationData({ home, platform, env }: Machine): string {
  if (platform === 'darwin') return posix.join(home, 'Library', 'Application Support');
  if (platform === 'win32') return env.APPDATA || win32.join(home, 'AppData', 'Roaming');
  return env.XDG_CONFIG_HOME || posix.join(home, '.config');
}

/** Which of a host's files are written: those of the user, or the one of the project. */
export type WritableScope = 'user' | 'project';

/** The names of all hosts, in the order in which they are told. */
export const HOST_IDS: readonly HostId[] = ['claude-code', 'claude-desktop', 'cursor', 'vscode', 'cline'];

/** The host of that name, or what was probably meant. */
export function parseHostId(name: string): HostId | Problem {
  const host = HOST_IDS.find((id) => id === name);
  if (host !== undefined) return host;
  const meant = didYouMean(name, HOST_IDS);
  const hint = meant === undefined ? `known are ${HOST_IDS.join(', ')}` : `did you mean \`${meant}\`?`;
  return { code: 'hosts-unknown', at: name, message: 'there is no agent host of that name', hint };
}

/** The files of a host that exist, in that scope; where none does, the one that the host reads first. */
export function locationsToWrite(
  host: HostId,
  scope: WritableScope,
  machine: Machine,
): readonly ConfigLocation[] | Problem {
  const locations = configLocations(machine).filter((location) => location.host === host && location.scope === scope);
  const [first] = locations;
  if (first === undefined) {
    const message = `${KNOWN_HOSTS[host].title} reads no file of this project`;
    return { code: 'hosts-unknown', at: '--scope', message, hint: 'leave `--scope project` away' };
  }
  const existing = locations.filter(({ file }) => existsSync(file));
  return existing.length > 0 ? existing : [first];
}
