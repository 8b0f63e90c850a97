import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Problem } from '../../domain/problem.ts';
import { digestOf } from '../../lib/digest.ts';
import {
  type ConfigFile,
  readConfigFile,
  removeConfigFile,
  replaceConfigFile,
  withFsErrors,
  writePrivateFile,
} from './config-file.ts';

/**
 * Replaces the bytes of a config file, after writing a backup next to it. The name of the backup holds the digest of
 * the new bytes: an undo compares it with the file and sees whether the file was edited since.
 * @returns the path of the backup.
 * @throws ProblemError as `replaceConfigFile`; then the file is unchanged and the backup is removed.
 */
export function replaceWithBackup(before: ConfigFile, bytes: Uint8Array): string {
  const backup = freeName(before, bytes);
  // The backup may hold secrets, so only its owner may read it, whatever the mode of the config file is.
  writePrivateFile(backup, before.bytes ?? new Uint8Array());
  try {
    replaceConfigFile(before, bytes);
  } catch (error) {
    rmSync(backup, { force: true });
    throw error;
  }
  return backup;
}

/** Finds the backup that undoes the last change of a file. With `force` the latest one, even if the file was edited. */
export function backupToRestore(path: string, { force }: { readonly force: boolean }): Backup | Problem {
  const { bytes } = readConfigFile(path);
  const backups = listBackups(path);
  const current = bytes === undefined ? undefined : shortDigest(bytes);
  const matching = backups.filter(({ digest }) => digest === current);
  const chosen = matching.at(-1) ?? (force ? backups.at(-1) : undefined);
  return chosen ?? (backups.length === 0 ? noBackup(path) : changedFile(path, backups));
}

/**
 * Restores a backup byte for byte and deletes it. A config file that did not exist before is removed.
 * @throws ProblemError as `replaceConfigFile`.
 */
export function restoreBackup(path: string, backup: Backup): void {
  const now = readConfigFile(path);
  if (backup.wasAbsent) {
    if (now.bytes !== undefined) removeConfigFile(now);
  } else {
    replaceConfigFile(
      now,
      withFsErrors('config-unreadable', backup.file, () => readFileSync(backup.file)),
    );
  }
  rmSync(backup.file, { force: true });
}

/** The previous content of a config file, in a file next to it. */
export interface Backup {
  readonly file: string;
  readonly digest: string;
  /** True when the config file did not exist before. */
  readonly wasAbsent: boolean;
  readonly number: number;
}

const BACKUP_NAME = /\.seneschal-([0-9a-f]{12})(?:-(\d+))?\.(backup|new)$/;

/** Lists the backups of a file, the oldest first. */
function listBackups(path: string): readonly Backup[] {
  if (!existsSync(dirname(path))) return [];
  const names = withFsErrors('config-unreadable', dirname(path), () => readdirSync(dirname(path)));
  const backups = names.flatMap((name): Backup[] => {
    const [suffix, digest = '', number = '1', kind = ''] = BACKUP_NAME.exec(name) ?? [];
    if (suffix === undefined || name !== `${basename(path)}${suffix}`) return [];
    return [{ file: join(dirname(path), name), digest, number: Number(number), wasAbsent: kind === 'new' }];
  });
  return backups.sort((one, other) => one.number - other.number);
}

function freeName(before: ConfigFile, bytes: Uint8Array): string {
  const kind = before.bytes === undefined ? 'new' : 'backup';
  const taken = listBackups(before.path).map(({ number }) => number);
  // One sequence of numbers for all backups of a file: the highest number is the latest backup.
  const number = Math.max(0, ...taken) + 1;
  return `${before.path}.seneschal-${shortDigest(bytes)}${number === 1 ? '' : `-${number}`}.${kind}`;
}

function shortDigest(bytes: Uint8Array): string {
  return digestOf(bytes).slice('sha256:'.length, 'sha256:'.length + 12);
}

function noBackup(at: string): Problem {
  return {
    code: 'hosts-backup-missing',
    at,
    message: 'this file has no backup, so there is nothing to undo',
    hint: 'remove the entry `seneschal` by hand',
  };
}

function changedFile(at: string, backups: readonly Backup[]): Problem {
  return {
    code: 'hosts-file-changed',
    at,
    message: 'the file was edited after the broker was connected',
    hint: `remove the entry \`seneschal\` by hand, or restore ${backups.at(-1)?.file ?? 'the backup'} with \`--force\` and lose the edits`,
  };
}
