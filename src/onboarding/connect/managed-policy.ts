import type { JsonObject } from '../../lib/json/json.ts';
import { type HostId, KNOWN_HOSTS } from '../hosts/known-hosts.ts';
import { ENTRY_NAME, type Endpoint, hostEntry, standaloneEntry } from './host-entry.ts';

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
export function managedPolicy(host: HostId, endpoint: Endpoint, platform: string): ManagedPolicy {
  const { title } = KNOWN_HOSTS[host];
  switch (host) {
    case 'claude-code':
      return { host, title, files: claudeCodeFiles(endpoint, claudeCodeDirectory(platform)), note: CLAUDE_CODE_NOTE };
    case 'vscode':
      return { host, title, files: [copilotFile(endpoint)], note: VSCODE_NOTE };
    case 'cline':
      return { host, title, files: [clineFile(endpoint)], note: CLINE_NOTE };
    case 'cursor':
      return { host, title, files: [], note: CURSOR_NOTE };
    case 'claude-desktop':
      return { host, title, files: [], note: CLAUDE_DESKTOP_NOTE };
  }
}

function allowedServer(endpoint: Endpoint): JsonObject {
  return endpoint.type === 'stdio'
    ? { serverCommand: [endpoint.command, ...endpoint.args] }
    : { serverUrl: endpoint.url };
}

// https://code.claude.com/docs/en/managed-mcp
const CLAUDE_CODE_NOTE =
  'With `managed-mcp.json` these servers alone are loaded, whatever a user configures. With `allowedMcpServers` users ' +
  'add the server themselves; the command must be the same in every argument. One of the two files is enough.';

function claudeCodeDirectory(platform: string): string {
  if (platform === 'darwin') return '/Library/Application Support/ClaudeCode';
  return platform === 'win32' ? 'C:\\Program Files\\ClaudeCode' : '/etc/claude-code';
}

function claudeCodeFiles(endpoint: Endpoint, directory: string): readonly ManagedFile[] {
  const separator = directory.includes('\\') ? '\\' : '/';
  const entry = hostEntry('claude-code', { endpoint });
  const file = { where: `${directory}${separator}managed-mcp.json`, what: 'the broker and no other server' };
  return [
    ...('code' in entry ? [] : [{ ...file, content: standaloneEntry('claude-code', entry) }]),
    {
      where: `${directory}${separator}managed-settings.json`,
      what: 'users may add the broker and no other server',
      content: { allowManagedMcpServersOnly: true, allowedMcpServers: [allowedServer(endpoint)] },
    },
  ];
}

// https://docs.github.com/en/copilot/how-tos/administer-copilot/manage-mcp-usage/configure-enterprise-allowlist
const VSCODE_NOTE =
  'The list is that of GitHub Copilot for an enterprise. VS Code itself has the policy `ChatMCP`, which turns servers ' +
  'off or restricts them to a registry of their names, and no list of commands or urls.';

function copilotFile(endpoint: Endpoint): ManagedFile {
  return {
    where: '`managed-settings.json` of the enterprise on GitHub, or on each machine by device management',
    what: 'the broker and no other server',
    content: { allowedMcpServers: [allowedServer(endpoint)] },
  };
}

// https://docs.cline.bot/enterprise-solutions/configuration/infrastructure-configuration/control-other-cline-features/mcp-server-controls
const CLINE_NOTE =
  'Cline compares names of local servers, not their commands: whoever calls another server `seneschal` may use it.';

function clineFile(endpoint: Endpoint): ManagedFile {
  const where = 'the remote configuration of the organisation';
  return endpoint.type === 'stdio'
    ? {
        where,
        what: 'local servers of that name alone, and no remote ones',
        content: { allowedMCPServers: [{ id: ENTRY_NAME }], blockPersonalRemoteMCPServers: true },
      }
    : {
        where,
        what: 'the broker as the only remote server',
        content: { remoteMCPServers: [{ name: ENTRY_NAME, url: endpoint.url }], blockPersonalRemoteMCPServers: true },
      };
}

const CURSOR_NOTE =
  'Cursor reads no such list from a file. Its dashboard for enterprises has one of allowed servers: enter the command ' +
  'or url of the entry there.';

const CLAUDE_DESKTOP_NOTE =
  'Claude Desktop has none for the servers of its config file; an organisation can only turn all of them off ' +
  '(`isLocalDevMcpEnabled`).';
