import { existsSync } from 'node:fs';
import type { Problem } from '../domain/problem.ts';
import { didYouMean } from '../lib/nearest-word.ts';
import { type ConfigLocation, configLocations, type HostId, KNOWN_HOSTS, type Machine } from './known-hosts.ts';

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
