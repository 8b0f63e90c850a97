import type { Problem } from '../../domain/problem.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { type HostId, KNOWN_HOSTS } from '../hosts/known-hosts.ts';

/** Name of the broker's entry in a host's list of servers. */
export const ENTRY_NAME = 'seneschal';

/** Environment variable from which a host reads the agent's key. */
export const KEY_VARIABLE = 'SENESCHAL_KEY';

/** The broker as an agent reaches it: a command to start, or a URL. */
export type Endpoint =
  | { readonly type: 'stdio'; readonly command: string; readonly args: readonly string[] }
  | { readonly type: 'http'; readonly url: string };

/** An endpoint of the broker, and the agent that a host connects as. */
export interface Connection {
  readonly endpoint: Endpoint;
  /** Optional over HTTP, where the key identifies the agent. */
  readonly agent?: string;
}

/** The broker's entry in the format of one host, and the input by which VS Code prompts for the key. */
export interface HostEntry {
  readonly entry: JsonObject;
  readonly input?: JsonObject & { readonly id: string };
}

/** Builds the broker's entry for one host. An HTTP entry refers to the key and never holds it: files are shared. */
export function hostEntry(id: HostId, { endpoint, agent }: Connection): HostEntry | Problem {
  const host = KNOWN_HOSTS[id];
  if (endpoint.type === 'stdio') {
    const { command, args } = endpoint;
    return { entry: { ...(id === 'claude-desktop' ? {} : { type: 'stdio' }), command, args } };
  }
  if (host.secrets === 'none') {
    return {
      code: 'hosts-http-unsupported',
      at: id,
      message: `${host.title} cannot use a url: its config file only starts programs`,
      hint: 'leave out `--http` and `--url` to connect over stdio, which needs no key',
    };
  }
  const http = { ...(host.httpType === undefined ? {} : { type: host.httpType }), url: endpoint.url };
  if (host.secrets !== 'input') {
    const variable = host.secrets === 'env-prefixed' ? `\${env:${KEY_VARIABLE}}` : `\${${KEY_VARIABLE}}`;
    return { entry: { ...http, headers: { Authorization: `Bearer ${variable}` } } };
  }
  const description = agent === undefined ? 'Seneschal key' : `Seneschal key of agent:${agent}`;
  const input = { type: 'promptString', id: 'seneschal-key', description, password: true };
  return { entry: { ...http, headers: { Authorization: `Bearer \${input:${input.id}}` } }, input };
}

/** Builds a config file that holds only this entry, for a person to copy from. */
export function standaloneEntry(id: HostId, { entry, input }: HostEntry): JsonObject {
  const servers = { [ENTRY_NAME]: entry };
  if (id !== 'vscode') return { mcpServers: servers };
  return { ...(input === undefined ? {} : { inputs: [input] }), servers };
}
