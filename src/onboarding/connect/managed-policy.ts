import type { JsonObject } from '../../lib/json/json.ts';
import { type HostId, KNOWN_HOSTS } from '../hosts/known-hosts.ts';
import { ENTRY_NAME, type Endpoint, hostEntry, standaloneEntry } from './host-entry.ts';

/** One file or administration setting that restricts an organisation to the broker. */
export interface ManagedFile {
  /** Path of the file, or the page of the setting. */
  readonly where: string;
  readonly what: string;
  readonly content: JsonObject;
}

/** The settings by which an organisation restricts one host to the broker. */
export interface ManagedPolicy {
  readonly host: HostId;
  readonly title: string;
  readonly files: readonly ManagedFile[];
  /** Limits of this host's enforcement. */
  readonly note: string;
}

/** Builds the allowlist of a host, as its documentation describes it; no file if the host has none. */
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
  'Use one of the two files. With `managed-mcp.json` Claude Code loads only these servers, whatever a user configures. ' +
  'With `allowedMcpServers` users add the server themselves, and its command must match in every argument.';

function claudeCodeDirectory(platform: string): string {
  if (platform === 'darwin') return '/Library/Application Support/ClaudeCode';
  return platform === 'win32' ? 'C:\\Program Files\\ClaudeCode' : '/etc/claude-code';
}

function claudeCodeFiles(endpoint: Endpoint, directory: string): readonly ManagedFile[] {
  const separator = directory.includes('\\') ? '\\' : '/';
  const entry = hostEntry('claude-code', { endpoint });
  const file = { where: `${directory}${separator}managed-mcp.json`, what: 'loads the broker and no other server' };
  return [
    ...('code' in entry ? [] : [{ ...file, content: standaloneEntry('claude-code', entry) }]),
    {
      where: `${directory}${separator}managed-settings.json`,
      what: 'lets users add the broker and no other server',
      content: { allowManagedMcpServersOnly: true, allowedMcpServers: [allowedServer(endpoint)] },
    },
  ];
}

// https://docs.github.com/en/copilot/how-tos/administer-copilot/manage-mcp-usage/configure-enterprise-allowlist
const VSCODE_NOTE =
  'This is the allowlist of GitHub Copilot for enterprises. VS Code itself has the policy `ChatMCP`, which turns servers ' +
  'off or restricts them to a registry of names. It has no list of commands or urls.';

function copilotFile(endpoint: Endpoint): ManagedFile {
  return {
    where: '`managed-settings.json` of the enterprise on GitHub, or on each machine by device management',
    what: 'allows the broker and no other server',
    content: { allowedMcpServers: [allowedServer(endpoint)] },
  };
}

// https://docs.cline.bot/enterprise-solutions/configuration/infrastructure-configuration/control-other-cline-features/mcp-server-controls
const CLINE_NOTE =
  'Cline compares the names of local servers, not their commands: a user can name any other server `seneschal`.';

function clineFile(endpoint: Endpoint): ManagedFile {
  const where = 'the remote configuration of the organisation';
  return endpoint.type === 'stdio'
    ? {
        where,
        what: 'allows only local servers of that name, and no remote ones',
        content: { allowedMCPServers: [{ id: ENTRY_NAME }], blockPersonalRemoteMCPServers: true },
      }
    : {
        where,
        what: 'allows the broker as the only remote server',
        content: { remoteMCPServers: [{ name: ENTRY_NAME, url: endpoint.url }], blockPersonalRemoteMCPServers: true },
      };
}

const CURSOR_NOTE =
  'Cursor reads no allowlist from a file. Enter the command or url of the entry in the list of allowed servers of its ' +
  'enterprise dashboard.';

const CLAUDE_DESKTOP_NOTE =
  'Claude Desktop has no allowlist for the servers of its config file. An organisation can only turn all of them off ' +
  '(`isLocalDevMcpEnabled`).';
