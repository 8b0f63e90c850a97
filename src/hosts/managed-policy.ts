import type { JsonObject } from '../lib/json.ts';
import { ENTRY_NAME, entryAlone, hostEntry, type Reach } from './host-entry.ts';
import { type HostId, KNOWN_HOSTS } from './known-hosts.ts';

/** One file, or one setting of an administrator's page, that lets a whole organisation reach the broker alone. */
export interface ManagedFile {
  /** Where it goes: a path, or the page. */
  readonly where: string;
  readonly what: string;
  readonly content: JsonObject;
}

/** What an organisation can say to one host about which servers its people may use. */
export interface ManagedPolicy {
  readonly host: HostId;
  readonly title: string;
  readonly files: readonly ManagedFile[];
  /** What the host does not do, so that nobody relies on it. */
  readonly note: string;
}

/** The allow-list of each host, as its documentation has it; no file where the host has none. */
export function managedPolicy(host: HostId, reach: Reach, platform: string): ManagedPolicy {
  const { title } = KNOWN_HOSTS[host];
  switch (host) {
    case 'claude-code':
      return { host, title, files: claudeCodeFiles(reach, claudeCodeDirectory(platform)), note: CLAUDE_CODE };
    case 'vscode':
      return { host, title, files: [copilotFile(reach)], note: VSCODE };
    case 'cline':
      return { host, title, files: [clineFile(reach)], note: CLINE };
    case 'cursor':
      return { host, title, files: [], note: CURSOR };
    case 'claude-desktop':
      return { host, title, files: [], note: CLAUDE_DESKTOP };
  }
}

function allowedServer(reach: Reach): JsonObject {
  return reach.type === 'stdio' ? { serverCommand: [reach.command, ...reach.args] } : { serverUrl: reach.url };
}

// https://code.claude.com/docs/en/managed-mcp
const CLAUDE_CODE =
  'With `managed-mcp.json` these servers alone are loaded, whatever a user configures. With `allowedMcpServers` users ' +
  'add the server themselves; the command must be the same in every argument. One of the two files is enough.';

function claudeCodeDirectory(platform: string): string {
  if (platform === 'darwin') return '/Library/Application Support/ClaudeCode';
  return platform === 'win32' ? 'C:\\Program Files\\ClaudeCode' : '/etc/claude-code';
}

function claudeCodeFiles(reach: Reach, directory: string): readonly ManagedFile[] {
  const separator = directory.includes('\\') ? '\\' : '/';
  const entry = hostEntry('claude-code', { reach });
  const file = { where: `${directory}${separator}managed-mcp.json`, what: 'the broker and no other server' };
  return [
    ...('code' in entry ? [] : [{ ...file, content: entryAlone('claude-code', entry) }]),
    {
      where: `${directory}${separator}managed-settings.json`,
      what: 'users may add the broker and no other server',
      content: { allowManagedMcpServersOnly: true, allowedMcpServers: [allowedServer(reach)] },
    },
  ];
}

// https://docs.github.com/en/copilot/how-tos/administer-copilot/manage-mcp-usage/configure-enterprise-allowlist
const VSCODE =
  'The list is that of GitHub Copilot for an enterprise. VS Code itself has the policy `ChatMCP`, which turns servers ' +
  'off or restricts them to a registry of their names, and no list of commands or urls.';

function copilotFile(reach: Reach): ManagedFile {
  return {
    where: '`managed-settings.json` of the enterprise on GitHub, or on each machine by device management',
    what: 'the broker and no other server',
    content: { allowedMcpServers: [allowedServer(reach)] },
  };
}

// https://docs.cline.bot/enterprise-solutions/configuration/infrastructure-configuration/control-other-cline-features/mcp-server-controls
const CLINE =
  'Cline compares names of local servers, not their commands: whoever calls another server `seneschal` may use it.';

function clineFile(reach: Reach): ManagedFile {
  const where = 'the remote configuration of the organisation';
  return reach.type === 'stdio'
    ? {
        where,
        what: 'local servers of that name alone, and no remote ones',
        content: { allowedMCPServers: [{ id: ENTRY_NAME }], blockPersonalRemoteMCPServers: true },
      }
    : {
        where,
        what: 'the broker as the only remote server',
        content: { remoteMCPServers: [{ name: ENTRY_NAME, url: reach.url }], blockPersonalRemoteMCPServers: true },
      };
}

const CURSOR =
  'Cursor reads no such list from a file. Its dashboard for enterprises has one of allowed servers: enter the command ' +
  'or url of the entry there.';

const CLAUDE_DESKTOP =
  'Claude Desktop has none for the servers of its config file; an organisation can only turn all of them off ' +
  '(`isLocalDevMcpEnabled`).';
