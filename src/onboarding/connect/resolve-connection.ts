import { parseAgentName } from '../../domain/principal.ts';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { parseSecretReferences } from '../../lib/secrets/secret-reference.ts';
import { readRegistry } from '../../registry/load.ts';
import type { Connection, Endpoint } from './host-entry.ts';

/** A connection as it was typed. */
export interface ConnectionRequest {
  /** With or without `agent:`. Default: the only declared agent. */
  readonly agent?: string;
  readonly http: boolean;
  /** Implies `http`. Default: built from host and port. */
  readonly url?: string;
  /** A server or virtual server. Default: everything that the agent may use. */
  readonly server?: string;
}

/** The registry directory and the listening address of the broker. */
interface BrokerAddress {
  readonly registry: string;
  readonly host: string;
  readonly port: number;
}

/** Builds the command that starts `seneschal stdio`. */
type ShimCommand = (options: { readonly agent: string; readonly server: string | undefined }) => {
  readonly command: string;
  readonly args: readonly string[];
};

/** Resolves a connection by the registry. @throws ProblemError if the registry lacks the agent or the server. */
export function resolveConnection(
  { agent, http, url, server }: ConnectionRequest,
  broker: BrokerAddress,
  shimCommand: ShimCommand,
): Connection {
  const agentName = agent === undefined ? undefined : parseAgentName(agent);
  if (http || url !== undefined) {
    if (server !== undefined && url !== undefined) throw new ProblemError([CONFLICTING_PATHS]);
    const path = server === undefined ? '/mcp' : serverPath(broker.registry, server);
    // Over HTTP the key identifies the agent, and the broker may be on another machine with another registry.
    const endpoint: Endpoint = { type: 'http', url: url === undefined ? urlOf(broker, path) : validateUrl(url) };
    return agentName === undefined ? { endpoint } : { endpoint, agent: agentName };
  }
  const resolvedAgent = resolveAgent(broker.registry, agentName);
  if (server !== undefined) serverPath(broker.registry, server);
  return { endpoint: { type: 'stdio', ...shimCommand({ agent: resolvedAgent, server }) }, agent: resolvedAgent };
}

/** The agent that a host connects as: `name`, or the only declared one. @throws ProblemError if neither exists. */
function resolveAgent(registryDir: string, name: string | undefined): string {
  const agents = [...readRegistry(registryDir).registry.agents.keys()];
  const [only] = agents;
  if (name !== undefined && agents.includes(name)) return name;
  if (name === undefined && only !== undefined && agents.length === 1) return only;
  const hint =
    agents.length === 0
      ? `declare one in \`${registryDir}/agents/<name>.yaml\``
      : `write \`--agent\` and one of ${agents.join(', ')}`;
  if (name !== undefined) throw new ProblemError([unknownAgent(name, hint)]);
  const message = agents.length === 0 ? 'the registry declares no agent' : 'the registry declares several agents';
  throw new ProblemError([{ code: 'settings-invalid', at: '--agent', message, hint }]);
}

function unknownAgent(name: string, hint: string): Problem {
  return { code: 'identity-unknown-agent', at: '--agent', message: `the registry has no agent \`${name}\``, hint };
}

/** HTTP path of a server or virtual server. @throws ProblemError if the registry has neither of that name. */
function serverPath(registryDir: string, name: string): string {
  const { servers, virtual } = readRegistry(registryDir).registry;
  if (virtual.has(name)) return `/v/${name}/mcp`;
  if (servers.has(name)) return `/servers/${name}/mcp`;
  const known = [...virtual.keys(), ...servers.keys()].sort();
  const hint =
    known.length === 0 ? 'add one with `seneschal registry add`' : `write \`--server\` and one of ${known.join(', ')}`;
  const message = `the registry has no server or virtual server \`${name}\``;
  throw new ProblemError([{ code: 'registry-unknown-server', at: '--server', message, hint }]);
}

const CONFLICTING_PATHS: Problem = {
  code: 'settings-invalid',
  at: '--server',
  message: '`--server` and `--url` exclude each other, because the url has a path already',
  hint: 'end the url with `/v/<name>/mcp` or `/servers/<name>/mcp`, and remove `--server`',
};

function urlOf({ host, port }: BrokerAddress, path: string): string {
  const isAnywhere = host === '0.0.0.0' || host === '::';
  if (isAnywhere || port === 0) {
    const message = `${isAnywhere ? '`--host`' : '`--port`'} does not determine the url of the broker`;
    const hint = 'add the url, for example `--url https://tools.example.com/mcp`';
    throw new ProblemError([{ code: 'settings-invalid', at: '--http', message, hint }]);
  }
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
}

function validateUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isAllowed = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (isAllowed) return text;
  const message = 'not an http or https url without user and password';
  const hint = 'write for example `--url https://tools.example.com/mcp`';
  throw new ProblemError([{ code: 'settings-invalid', at: '--url', message, hint }]);
}

/** Environment variables that the tool servers need, sorted. A broker that an agent host starts may lack them. */
export function requiredVariables(registryDir: string): readonly string[] {
  const names = [...readRegistry(registryDir).registry.servers.values()].flatMap(({ transport }) =>
    Object.values(transport.type === 'stdio' ? transport.env : transport.headers).flatMap(environmentVariables),
  );
  return [...new Set(names)].sort();
}

function environmentVariables(text: string): readonly string[] {
  const parts = parseSecretReferences(text);
  return 'message' in parts ? [] : parts.flatMap((part) => (part.kind === 'env' ? [part.name] : []));
}
