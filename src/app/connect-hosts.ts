import { Buffer } from 'node:buffer';
import { createTwoFilesPatch } from 'diff';
import { type Problem, ProblemError, readOrCollect } from '../domain/problem.ts';
import { type Backup, backupToRestore, changeConfigFile, restoreBackup } from '../hosts/backup.ts';
import { placesToWrite, type WrittenScope } from '../hosts/choose-places.ts';
import { type ConfigFile, readConfigFile, textOf } from '../hosts/config-file.ts';
import { editConfig } from '../hosts/edit-config.ts';
import { type Connection, type HostEntry, hostEntry } from '../hosts/host-entry.ts';
import type { HostId, HostPlace, Machine } from '../hosts/known-hosts.ts';
import { maskedText } from '../hosts/masked-text.ts';

/** Which hosts, on which machine. */
export interface HostSelection {
  readonly hosts: readonly HostId[];
  readonly scope: WrittenScope;
  readonly machine: Machine;
}

/** One config file as it is and as it shall be. */
export interface ConnectPlan {
  readonly place: HostPlace;
  readonly before: ConfigFile;
  readonly after: Buffer;
  readonly isConnected: boolean;
  /** Names of servers that it held and will hold no more. */
  readonly removed: readonly string[];
}

/** Works out every change and makes none. @throws ProblemError with what stands in the way, of all hosts. */
export function planConnections(
  selection: HostSelection,
  connection: Connection & { readonly replaceServers: boolean },
): readonly ConnectPlan[] {
  const problems: Problem[] = [];
  const plans = selection.hosts.flatMap((host): readonly ConnectPlan[] => {
    const entry = hostEntry(host, connection);
    const places = placesToWrite(host, selection.scope, selection.machine);
    if ('code' in entry || 'code' in places) {
      for (const each of [entry, places]) if ('code' in each) problems.push(each);
      return [];
    }
    return places.flatMap((place) => planned(place, { ...connection, entry }, problems) ?? []);
  });
  if (problems.length > 0) throw new ProblemError(problems);
  return plans;
}

function planned(
  place: HostPlace,
  { entry, replaceServers }: { readonly entry: HostEntry; readonly replaceServers: boolean },
  problems: Problem[],
): ConnectPlan | undefined {
  return readOrCollect(problems, () => {
    const before = readConfigFile(place.file);
    const { text, mark } = textOf(before);
    const edited = editConfig(text, place, { entry, replaceServers });
    if (!('text' in edited)) throw new ProblemError(edited);
    const after = Buffer.from(`${mark}${edited.text}`);
    return { place, before, after, isConnected: before.bytes?.equals(after) === true, removed: edited.removed };
  });
}

/** What became of one config file. */
export type ConnectResult = {
  readonly host: HostId;
  readonly file: string;
  readonly state: 'connected' | 'unchanged';
  /** Where the file lies as it was before. */
  readonly backup?: string;
  readonly removed: readonly string[];
};

/** Makes the planned changes: all of them or none. @throws ProblemError when a file cannot be changed. */
export function connectHosts(plans: readonly ConnectPlan[]): readonly ConnectResult[] {
  const results: ConnectResult[] = [];
  try {
    for (const { place, before, after, isConnected, removed } of plans) {
      const { host, file } = place;
      if (isConnected) results.push({ host, file, state: 'unchanged', removed: [] });
      else results.push({ host, file, state: 'connected', backup: changeConfigFile(before, after), removed });
    }
  } catch (error) {
    for (const { file, state } of results) if (state === 'connected') restoreLast(file);
    throw error;
  }
  return results;
}

function restoreLast(file: string): void {
  const backup = backupToRestore(file, { force: false });
  if (!('code' in backup)) restoreBackup(file, backup);
}

/** The planned change of a file as a unified diff in which no secret is shown; empty where nothing would change. */
export function planDiff({ place: { file }, before, after, isConnected }: ConnectPlan): string {
  if (isConnected) return '';
  const [old = '', edited = ''] = [textOf(before).text, after.toString('utf8').replace(/^\ufeff/, '')].map(maskedText);
  const patch = createTwoFilesPatch(before.bytes === undefined ? '/dev/null' : file, file, old, edited);
  return patch.slice(patch.indexOf('--- '));
}

/** What `undoConnections` did to one file. */
export interface UndoResult {
  readonly host: HostId;
  readonly file: string;
  readonly state: 'restored' | 'removed';
}

/**
 * Takes the last connection of each host back, byte for byte: of all or of none.
 * @throws ProblemError when a file was changed since, unless `force`, or was never connected.
 */
export function undoConnections(
  { hosts, scope, machine }: HostSelection,
  options: { readonly force: boolean },
): readonly UndoResult[] {
  const problems: Problem[] = [];
  const found = hosts.flatMap((host) => {
    const places = placesToWrite(host, scope, machine);
    if ('code' in places) {
      problems.push(places);
      return [];
    }
    const backups: FoundBackup[] = [];
    const missing: Problem[] = [];
    for (const { file } of places) {
      const backup = backupToRestore(file, options);
      if (!('code' in backup)) backups.push({ host, file, backup });
      else (backup.code === 'hosts-backup-missing' ? missing : problems).push(backup);
    }
    // Of the several files of a host that were not all connected, those that were are enough.
    if (backups.length === 0) problems.push(...missing);
    return backups;
  });
  if (problems.length > 0) throw new ProblemError(problems);
  return found.map(({ host, file, backup }) => {
    restoreBackup(file, backup);
    return { host, file, state: backup.isOfNothing ? 'removed' : 'restored' };
  });
}

interface FoundBackup {
  readonly host: HostId;
  readonly file: string;
  readonly backup: Backup;
}
