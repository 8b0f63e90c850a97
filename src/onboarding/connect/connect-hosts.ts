import { Buffer } from 'node:buffer';
import { createTwoFilesPatch } from 'diff';
import { type Problem, ProblemError, readOrCollect } from '../../domain/problem.ts';
import type { ConfigLocation, HostId, Machine } from '../hosts/known-hosts.ts';
import { locationsToWrite, type WritableScope } from '../hosts/known-hosts.ts';
import { maskSecrets } from '../jsonc/mask-secrets.ts';
import { type Backup, backupToRestore, replaceWithBackup, restoreBackup } from './backup.ts';
import { type ConfigFile, decodeConfig, readConfigFile } from './config-file.ts';
import { editConfig } from './edit-config.ts';
import { type Connection, type HostEntry, hostEntry } from './host-entry.ts';

/** The hosts that one command is about, and the machine they run on. */
export interface HostSelection {
  readonly hosts: readonly HostId[];
  readonly scope: WritableScope;
  readonly machine: Machine;
}

/** One config file before and after the change. */
export interface ConnectPlan {
  readonly location: ConfigLocation;
  readonly before: ConfigFile;
  readonly after: Buffer;
  readonly isConnected: boolean;
  /** Names of the servers that the change removes. */
  readonly removed: readonly string[];
}

/** Computes every change and writes nothing. @throws ProblemError with the problems of all hosts. */
export function planConnections(
  selection: HostSelection,
  connection: Connection & { readonly replaceServers: boolean },
): readonly ConnectPlan[] {
  const problems: Problem[] = [];
  const plans = selection.hosts.flatMap((host): readonly ConnectPlan[] => {
    const entry = hostEntry(host, connection);
    const locations = locationsToWrite(host, selection.scope, selection.machine);
    if ('code' in entry || 'code' in locations) {
      for (const each of [entry, locations]) if ('code' in each) problems.push(each);
      return [];
    }
    return locations.flatMap((location) => planLocation(location, { ...connection, entry }, problems) ?? []);
  });
  if (problems.length > 0) throw new ProblemError(problems);
  return plans;
}

function planLocation(
  location: ConfigLocation,
  { entry, replaceServers }: { readonly entry: HostEntry; readonly replaceServers: boolean },
  problems: Problem[],
): ConnectPlan | undefined {
  return readOrCollect(problems, () => {
    const before = readConfigFile(location.file);
    const { text, byteOrderMark } = decodeConfig(before);
    const edited = editConfig(text, location, { entry, replaceServers });
    if (!('text' in edited)) throw new ProblemError(edited);
    const after = Buffer.from(`${byteOrderMark}${edited.text}`);
    return { location, before, after, isConnected: before.bytes?.equals(after) === true, removed: edited.removed };
  });
}

/** The result for one config file. */
export type ConnectResult = {
  readonly host: HostId;
  readonly file: string;
  readonly state: 'connected' | 'unchanged';
  /** Path of the backup. */
  readonly backup?: string;
  readonly removed: readonly string[];
};

/** Writes the planned changes: all of them or none. @throws ProblemError if a file cannot be changed. */
export function connectHosts(plans: readonly ConnectPlan[]): readonly ConnectResult[] {
  const results: ConnectResult[] = [];
  try {
    for (const { location, before, after, isConnected, removed } of plans) {
      const { host, file } = location;
      if (isConnected) results.push({ host, file, state: 'unchanged', removed: [] });
      else results.push({ host, file, state: 'connected', backup: replaceWithBackup(before, after), removed });
    }
  } catch (error) {
    for (const { file, state } of results) if (state === 'connected') restoreLatestBackup(file);
    throw error;
  }
  return results;
}

function restoreLatestBackup(file: string): void {
  const backup = backupToRestore(file, { force: false });
  if (!('code' in backup)) restoreBackup(file, backup);
}

/** Formats the planned change of a file as a unified diff with secrets masked; empty if nothing would change. */
export function planDiff({ location: { file }, before, after, isConnected }: ConnectPlan): string {
  if (isConnected) return '';
  const [old = '', edited = ''] = [decodeConfig(before).text, after.toString('utf8').replace(/^\ufeff/, '')].map(
    maskSecrets,
  );
  const patch = createTwoFilesPatch(before.bytes === undefined ? '/dev/null' : file, file, old, edited);
  return patch.slice(patch.indexOf('--- '));
}

/** The result of `undoConnections` for one file: its old content is back, or it is gone because it was new. */
export interface UndoResult {
  readonly host: HostId;
  readonly file: string;
  readonly state: 'restored' | 'removed';
}

/**
 * Undoes the last connection of each host, byte for byte. Checks all of them before the first is undone.
 * @throws ProblemError if a file was edited since, unless `force`, or was never connected.
 */
export function undoConnections(
  { hosts, scope, machine }: HostSelection,
  options: { readonly force: boolean },
): readonly UndoResult[] {
  const problems: Problem[] = [];
  const restorable = hosts.flatMap((host) => {
    const locations = locationsToWrite(host, scope, machine);
    if ('code' in locations) {
      problems.push(locations);
      return [];
    }
    const backups: RestorableBackup[] = [];
    const withoutBackup: Problem[] = [];
    for (const { file } of locations) {
      const backup = backupToRestore(file, options);
      if (!('code' in backup)) backups.push({ host, file, backup });
      else (backup.code === 'hosts-backup-missing' ? withoutBackup : problems).push(backup);
    }
    // A host can have several files. Those that were never connected need no undo, as long as one was.
    if (backups.length === 0) problems.push(...withoutBackup);
    return backups;
  });
  if (problems.length > 0) throw new ProblemError(problems);
  return restorable.map(({ host, file, backup }) => {
    restoreBackup(file, backup);
    return { host, file, state: backup.wasAbsent ? 'removed' : 'restored' };
  });
}

interface RestorableBackup {
  readonly host: HostId;
  readonly file: string;
  readonly backup: Backup;
}
