import type { Problem } from '../../domain/problem.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { type HostId, KNOWN_HOSTS } from '../hosts/known-hosts.ts';

/** The name under which the broker stands among the servers of a host. */
export const ENTRY_NAME = 'seneschal';

/** The variable that a host looks the agent's key up in. */
export const KEY_VARIABLE = 'SENESCHAL_KEY';

/** How an agent reaches the broker. */
export type Endpoint =
  | { readonly type: 'stdio'; readonly command: string; readonly args: readonly string[] }
  | { readonly type: 'http'; readonly url: string };

/** How a host is connected. */
export interface Connection {
  readonly endpoint: Endpoint;
  /** Over HTTP the key says which agent it is. */
  readonly agent?: string;
}

/** The entry of the broker in the form of one host, and the input that VS Code asks the key by. */
export interface HostEntry {
  readonly entry: JsonObject;
  readonly input?: JsonObject & { readonly id: string };
}

/** The entry of the broker for one host. An HTTP entry names the key and never holds it: files are copied and shared. */
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
      message: `the config file of ${host.title} starts programs and takes no url`,
      hint: 'connect it over stdio, without `--http`: no key is needed there',
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

/** The whole file that holds nothing but the entry, for a person to paste from. */
export function standaloneEntry(id: HostId, { entry, input }: HostEntry): JsonObject {
  const servers = { [ENTRY_NAME]: entry };
  if (id !== 'vscode') return { mcpServers: servers };
  return { ...(input === undefined ? {} : { inputs: [input] }), servers };
}
