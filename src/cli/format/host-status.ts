import type { ConnectResult, UndoResult } from '../../onboarding/connect/connect-hosts.ts';
import type { DirectConnection, HostStatus, PrintedEntry } from '../../onboarding/connect/host-status.ts';
import type { ManagedPolicy } from '../../onboarding/connect/managed-policy.ts';
import { KNOWN_HOSTS } from '../../onboarding/hosts/known-hosts.ts';
import { table } from '../framework/output.ts';

/** The config files of all hosts, one a row. */
export function hostStatusText(statuses: readonly HostStatus[]): string {
  if (statuses.length === 0) return 'no config file of a known agent host was found';
  const rows = statuses.map(({ host, scope, isConnected, servers, file }) => {
    return [host, scope, isConnected ? 'yes' : 'no', servers.join(' ') || '-', file];
  });
  return table([['HOST', 'SCOPE', 'CONNECTED', 'OTHER SERVERS', 'FILE'], ...rows]);
}

/** What became of each file. */
export function connectedText(results: readonly ConnectResult[]): string {
  return results
    .map(({ host, file, state, backup, removed }) => {
      if (state === 'unchanged')
        return `${KNOWN_HOSTS[host].title}: is connected already, nothing was changed (${file})`;
      const backupLine = backup?.endsWith('.backup') === true ? `backup   ${backup}` : 'backup   none: the file is new';
      const lines = [
        `${KNOWN_HOSTS[host].title}: connected; start it again to have it read its config`,
        `  file     ${file}`,
        `  ${backupLine}`,
      ];
      if (removed.length > 0)
        lines.push(`  removed  ${removed.join(' ')}: agents reach them again when the registry holds them`);
      return lines.join('\n');
    })
    .join('\n');
}

/** What was put back. */
export function undoneText(results: readonly UndoResult[]): string {
  return results
    .map(({ host, file, state }) => {
      const result = state === 'restored' ? 'is as it was before' : 'is gone again, as there was none before';
      return `${KNOWN_HOSTS[host].title}: ${file} ${result}`;
    })
    .join('\n');
}

/** The servers of one file that agents still reach without the broker. */
export function directConnectionText({ host, file, servers }: DirectConnection): string {
  return `${KNOWN_HOSTS[host].title} still reaches ${servers.join(', ')} without the broker: ${file}`;
}

/** Each entry, with the file that it is for. Of a single one the JSON alone, so that it can be redirected. */
export function printedText(entries: readonly PrintedEntry[]): string {
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) return JSON.stringify(only.content, null, 2);
  return entries.map(({ host, file, content }) => `${host}: ${file}\n${JSON.stringify(content, null, 2)}`).join('\n\n');
}

/** What an organisation can do about each host. */
export function managedText(policies: readonly ManagedPolicy[]): string {
  return policies
    .map(({ title, files, note }) => {
      const parts = files.map(({ where, what, content }) => `${where}: ${what}\n${JSON.stringify(content, null, 2)}`);
      return [title, note, ...(parts.length === 0 ? ['there is no such list to write'] : parts)].join('\n\n');
    })
    .join('\n\n');
}
