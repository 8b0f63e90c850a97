import type { ConnectResult, UndoResult } from '../../onboarding/connect/connect-hosts.ts';
import type { DirectConnection, HostStatus, PrintedEntry } from '../../onboarding/connect/host-status.ts';
import type { ManagedPolicy } from '../../onboarding/connect/managed-policy.ts';
import { KNOWN_HOSTS } from '../../onboarding/hosts/known-hosts.ts';
import { table } from '../framework/output.ts';

/** Formats the config files of all hosts as a table. */
export function hostStatusText(statuses: readonly HostStatus[]): string {
  if (statuses.length === 0) return 'no config file of a known agent host found';
  const rows = statuses.map(({ host, scope, isConnected, servers, file }) => {
    return [host, scope, isConnected ? 'yes' : 'no', servers.join(' ') || '-', file];
  });
  return table([['HOST', 'SCOPE', 'CONNECTED', 'OTHER SERVERS', 'FILE'], ...rows]);
}

/** Formats the result of `connect`, file by file. */
export function connectedText(results: readonly ConnectResult[]): string {
  return results
    .map(({ host, file, state, backup, removed }) => {
      if (state === 'unchanged') return `${KNOWN_HOSTS[host].title}: already connected, nothing was changed (${file})`;
      const backupLine = backup?.endsWith('.backup') === true ? `backup   ${backup}` : 'backup   none: the file is new';
      const lines = [
        `${KNOWN_HOSTS[host].title}: connected; restart it to load the new config`,
        `  file     ${file}`,
        `  ${backupLine}`,
      ];
      if (removed.length > 0)
        lines.push(
          `  removed  ${removed.join(' ')}: add them to the registry, and agents reach them through the broker`,
        );
      return lines.join('\n');
    })
    .join('\n');
}

/** Formats the result of `connect --undo`, file by file. */
export function undoneText(results: readonly UndoResult[]): string {
  return results
    .map(({ host, file, state }) => {
      const result = state === 'restored' ? 'restored from its backup' : 'removed, because it did not exist before';
      return `${KNOWN_HOSTS[host].title}: ${file} ${result}`;
    })
    .join('\n');
}

/** Formats the warning about servers that agents still reach without the broker. */
export function directConnectionText({ host, file, servers }: DirectConnection): string {
  return `${KNOWN_HOSTS[host].title} still reaches ${servers.join(', ')} without the broker: ${file}`;
}

/** Formats each entry with the path of its file. A single one is only JSON, so that it can be redirected to a file. */
export function printedText(entries: readonly PrintedEntry[]): string {
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) return JSON.stringify(only.content, null, 2);
  return entries.map(({ host, file, content }) => `${host}: ${file}\n${JSON.stringify(content, null, 2)}`).join('\n\n');
}

/** Formats the settings by which an organisation restricts each host. */
export function managedText(policies: readonly ManagedPolicy[]): string {
  return policies
    .map(({ title, files, note }) => {
      const parts = files.map(({ where, what, content }) => `${where}: ${what}\n${JSON.stringify(content, null, 2)}`);
      return [title, note, ...(parts.length === 0 ? ['there is no file to write'] : parts)].join('\n\n');
    })
    .join('\n\n');
}
