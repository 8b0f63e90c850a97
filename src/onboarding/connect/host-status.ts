import { type Problem, ProblemError } from '../../domain/problem.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { type HostId, KNOWN_HOSTS, locationsToWrite, type Machine } from '../hosts/known-hosts.ts';
import { scanHosts } from '../hosts/scan-hosts.ts';
import type { HostSelection } from './connect-hosts.ts';
import { type Connection, ENTRY_NAME, type Endpoint, hostEntry, standaloneEntry } from './host-entry.ts';
import { type ManagedPolicy, managedPolicy } from './managed-policy.ts';

/** A config file that holds only the broker's entry, and the file of the host that it belongs in. */
export interface PrintedEntry {
  readonly host: HostId;
  readonly file: string;
  readonly content: JsonObject;
}

/** Entries to add to the files of the hosts by hand. @throws ProblemError for a host that cannot have one. */
export function printedEntries(selection: HostSelection, connection: Connection): readonly PrintedEntry[] {
  return selection.hosts.map((host) => {
    const locations = locationsToWrite(host, selection.scope, selection.machine);
    if ('code' in locations) throw new ProblemError([locations]);
    const entry = hostEntry(host, connection);
    if ('code' in entry) throw new ProblemError([entry]);
    return { host, file: locations[0]?.file ?? '', content: standaloneEntry(host, entry) };
  });
}

/** For each host, the settings by which an organisation restricts its users to the broker. */
export function managedPolicies({ hosts, machine }: HostSelection, reach: Endpoint): readonly ManagedPolicy[] {
  return hosts.map((host) => managedPolicy(host, reach, machine.platform));
}

/** Servers in one config file that a host reaches without the broker. */
export interface DirectConnection {
  readonly host: HostId;
  readonly file: string;
  readonly servers: readonly string[];
}

/** Finds the servers that agents in these hosts still reach without the broker. */
export function directConnections({ hosts, machine }: HostSelection): readonly DirectConnection[] {
  return scanHosts(machine).configs.flatMap(({ host, file, enabled }) => {
    const servers = enabled.filter((name) => name !== ENTRY_NAME);
    return hosts.includes(host) && servers.length > 0 ? [{ host, file, servers }] : [];
  });
}

/** One existing config file of a host. */
export interface HostStatus {
  readonly host: HostId;
  readonly title: string;
  readonly scope: string;
  readonly file: string;
  readonly isConnected: boolean;
  /** The other enabled servers. */
  readonly servers: readonly string[];
}

/** Reads every existing config file of every known host: its servers, and the problems that make it unreadable. */
export function hostStatuses(machine: Machine): {
  readonly statuses: readonly HostStatus[];
  readonly problems: readonly Problem[];
} {
  const { configs, problems } = scanHosts(machine);
  // The `local` servers of a project are in the user's file, which is listed under its own scope.
  const listed = configs.filter(({ scope, enabled }) => scope !== 'local' || enabled.length > 0);
  const statuses = listed.map(({ host, scope, file, enabled }) => ({
    host,
    title: KNOWN_HOSTS[host].title,
    scope,
    file,
    isConnected: enabled.includes(ENTRY_NAME),
    servers: enabled.filter((name) => name !== ENTRY_NAME),
  }));
  return { statuses, problems: problems.filter(({ severity }) => severity !== 'warning') };
}
