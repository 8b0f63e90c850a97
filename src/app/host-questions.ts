import { type Problem, ProblemError } from '../domain/problem.ts';
import { placesToWrite } from '../hosts/choose-places.ts';
import { type Connection, ENTRY_NAME, entryAlone, hostEntry, type Reach } from '../hosts/host-entry.ts';
import { type HostId, KNOWN_HOSTS, type Machine } from '../hosts/known-hosts.ts';
import { type ManagedPolicy, managedPolicy } from '../hosts/managed-policy.ts';
import { scanHosts } from '../hosts/scan-hosts.ts';
import type { JsonObject } from '../lib/json.ts';
import { parseReferences } from '../lib/secret-reference.ts';
import type { HostSelection } from './connect-hosts.ts';
import { readRegistry } from './known-registry.ts';

/** The entry of one host as a file of its own. */
export interface PrintedEntry {
  readonly host: HostId;
  readonly file: string;
  readonly content: JsonObject;
}

/** The entry of each host, to be put into its file by hand. @throws ProblemError where a host cannot have it. */
export function printedEntries(selection: HostSelection, connection: Connection): readonly PrintedEntry[] {
  return selection.hosts.map((host) => {
    const places = placesToWrite(host, selection.scope, selection.machine);
    if ('code' in places) throw new ProblemError([places]);
    const entry = hostEntry(host, connection);
    if ('code' in entry) throw new ProblemError([entry]);
    return { host, file: places[0]?.file ?? '', content: entryAlone(host, entry) };
  });
}

/** What an organisation can say to each host about the servers that its people may use. */
export function managedPolicies({ hosts, machine }: HostSelection, reach: Reach): readonly ManagedPolicy[] {
  return hosts.map((host) => managedPolicy(host, reach, machine.platform));
}

/** Servers that a host reaches beside the broker, by the file that they stand in. */
export interface Bypass {
  readonly host: HostId;
  readonly file: string;
  readonly servers: readonly string[];
}

/** The servers that agents of these hosts still reach without the broker. */
export function bypasses({ hosts, machine }: HostSelection): readonly Bypass[] {
  return scanHosts(machine).places.flatMap(({ host, file, enabled }) => {
    const servers = enabled.filter((name) => name !== ENTRY_NAME);
    return hosts.includes(host) && servers.length > 0 ? [{ host, file, servers }] : [];
  });
}

/** One config file of a host that is there. */
export interface HostState {
  readonly host: HostId;
  readonly title: string;
  readonly scope: string;
  readonly file: string;
  readonly isConnected: boolean;
  /** The other servers that the host would use. */
  readonly servers: readonly string[];
}

/** Every config file of every known host that is there, with the names of its servers; and what is wrong with them. */
export function hostStates(machine: Machine): {
  readonly states: readonly HostState[];
  readonly problems: readonly Problem[];
} {
  const { places, problems } = scanHosts(machine);
  // The servers for one project stand in a file that is there anyway.
  const told = places.filter(({ scope, enabled }) => scope !== 'local' || enabled.length > 0);
  const states = told.map(({ host, scope, file, enabled }) => ({
    ...{ host, title: KNOWN_HOSTS[host].title, scope, file },
    isConnected: enabled.includes(ENTRY_NAME),
    servers: enabled.filter((name) => name !== ENTRY_NAME),
  }));
  return { states, problems: problems.filter(({ severity }) => severity !== 'warning') };
}

/** The agent that a host is connected as: the one that was named, or the only one there is. */
export function agentToConnect(registryDir: string, named: string | undefined): string {
  const agents = [...readRegistry(registryDir).registry.agents.keys()];
  const [only] = agents;
  if (named !== undefined && agents.includes(named)) return named;
  if (named === undefined && only !== undefined && agents.length === 1) return only;
  const known =
    agents.length === 0 ? `write \`${registryDir}/agents/<name>.yaml\`` : `declared are ${agents.join(', ')}`;
  throw new ProblemError([
    named === undefined
      ? { code: 'settings-invalid', at: '--agent', message: 'the agent must be named', hint: known }
      : {
          code: 'identity-unknown-agent',
          at: '--agent',
          message: `no file declares the agent \`${named}\``,
          hint: known,
        },
  ]);
}

/** Where a server or virtual server is served over HTTP. @throws ProblemError where the registry has none of that name. */
export function pathOfServer(registryDir: string, name: string): string {
  const { servers, virtual } = readRegistry(registryDir).registry;
  if (virtual.has(name)) return `/v/${name}/mcp`;
  if (servers.has(name)) return `/servers/${name}/mcp`;
  const known = [...virtual.keys(), ...servers.keys()].sort();
  const hint = known.length === 0 ? 'there is none yet' : `there are ${known.join(', ')}`;
  const message = `the registry has no server \`${name}\``;
  throw new ProblemError([{ code: 'registry-unknown-server', at: '--server', message, hint }]);
}

/** Variables of the environment that tool servers need, sorted: a broker that an agent host starts may lack them. */
export function neededVariables(registryDir: string): readonly string[] {
  const names = [...readRegistry(registryDir).registry.servers.values()].flatMap(({ transport }) =>
    Object.values(transport.type === 'stdio' ? transport.env : transport.headers).flatMap(variablesIn),
  );
  return [...new Set(names)].sort();
}

function variablesIn(text: string): readonly string[] {
  const parts = parseReferences(text);
  return 'message' in parts ? [] : parts.flatMap((part) => (part.kind === 'env' ? [part.name] : []));
}
