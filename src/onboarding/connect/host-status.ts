import { type Problem, ProblemError } from '../../domain/problem.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { parseSecretReferences } from '../../lib/secrets/secret-reference.ts';
import { readRegistry } from '../../registry/load.ts';
import { type HostId, KNOWN_HOSTS, locationsToWrite, type Machine } from '../hosts/known-hosts.ts';
import { scanHosts } from '../hosts/scan-hosts.ts';
import type { HostSelection } from './connect-hosts.ts';
import { type Connection, ENTRY_NAME, type Endpoint, hostEntry, standaloneEntry } from './host-entry.ts';
import { type ManagedPolicy, managedPolicy } from './managed-policy.ts';

/** The entry of one host as a file of its own. */
export interface PrintedEntry {
  readonly host: HostId;
  readonly file: string;
  readonly content: JsonObject;
}

/** The entry of each host, to be put into its file by hand. @throws ProblemError where a host cannot have it. */
export function printedEntries(selection: HostSelection, connection: Connection): readonly PrintedEntry[] {
  return selection.hosts.map((host) => {
    const locations = locationsToWrite(host, selection.scope, selection.machine);
    if ('code' in locations) throw new ProblemError([locations]);
    const entry = hostEntry(host, connection);
    if ('code' in entry) throw new ProblemError([entry]);
    return { host, file: locations[0]?.file ?? '', content: standaloneEntry(host, entry) };
  });
}

/** What an organisation can say to each host about the servers that its people may use. */
export function managedPolicies({ hosts, machine }: HostSelection, reach: Endpoint): readonly ManagedPolicy[] {
  return hosts.map((host) => managedPolicy(host, reach, machine.platform));
}

/** Servers that a host reaches beside the broker, by the file that they stand in. */
export interface DirectConnection {
  readonly host: HostId;
  readonly file: string;
  readonly servers: readonly string[];
}

/** The servers that agents of these hosts still reach without the broker. */
export function directConnections({ hosts, machine }: HostSelection): readonly DirectConnection[] {
  return scanHosts(machine).configs.flatMap(({ host, file, enabled }) => {
    const servers = enabled.filter((name) => name !== ENTRY_NAME);
    return hosts.includes(host) && servers.length > 0 ? [{ host, file, servers }] : [];
  });
}

/** One config file of a host that is there. */
export interface HostStatus {
  readonly host: HostId;
  readonly title: string;
  readonly scope: string;
  readonly file: string;
  readonly isConnected: boolean;
  /** The other servers that the host would use. */
  readonly servers: readonly string[];
}

/** Every config file of every known host that is there, with the names of its servers; and what is wrong with them. */
export function hostStatuses(machine: Machine): {
  readonly statuses: readonly HostStatus[];
  readonly problems: readonly Problem[];
} {
  const { configs, problems } = scanHosts(machine);
  // The servers for one project stand in a file that is there anyway.
  const listed = configs.filter(({ scope, enabled }) => scope !== 'local' || enabled.length > 0);
  const statuses = listed.map(({ host, scope, file, enabled }) => ({
    ...{ host, title: KNOWN_HOSTS[host].title, scope, file },
    isConnected: enabled.includes(ENTRY_NAME),
    servers: enabled.filter((name) => name !== ENTRY_NAME),
  }));
  return { statuses, problems: problems.filter(({ severity }) => severity !== 'warning') };
}

/** The agent that a host is connected as: the one that was named, or the only one there is. */
export function resolveAgent(registryDir: string, name: string | undefined): string {
  const agents = [...readRegistry(registryDir).registry.agents.keys()];
  const [only] = agents;
  if (name !== undefined && agents.includes(name)) return name;
  if (name === undefined && only !== undefined && agents.length === 1) return only;
  const hint =
    agents.length === 0 ? `write \`${registryDir}/agents/<name>.yaml\`` : `declared are ${agents.join(', ')}`;
  throw new ProblemError([
    name === undefined
      ? { code: 'settings-invalid', at: '--agent', message: 'the agent must be named', hint: hint }
      : {
          code: 'identity-unknown-agent',
          at: '--agent',
          message: `no file declares the agent \`${name}\``,
          hint: hint,
        },
  ]);
}

/** Where a server or virtual server is served over HTTP. @throws ProblemError where the registry has none of that name. */
export function serverPath(registryDir: string, name: string): string {
  const { servers, virtual } = readRegistry(registryDir).registry;
  if (virtual.has(name)) return `/v/${name}/mcp`;
  if (servers.has(name)) return `/servers/${name}/mcp`;
  const known = [...virtual.keys(), ...servers.keys()].sort();
  const hint = known.length === 0 ? 'there is none yet' : `there are ${known.join(', ')}`;
  const message = `the registry has no server \`${name}\``;
  throw new ProblemError([{ code: 'registry-unknown-server', at: '--server', message, hint }]);
}

/** Variables of the environment that tool servers need, sorted: a broker that an agent host starts may lack them. */
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
