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
 * Writes other bytes into a config file after a backup of it beside it. The backup's name holds the digest of what is
 * written, so that it can be told later whether the file is still that.
 * @returns the path of the backup.
 * @throws ProblemError as `replaceConfigFile`; then the file is as it was, and there is no backup.
 */
export function replaceWithBackup(before: ConfigFile, bytes: Uint8Array): string {
  const backup = freeName(before, bytes);
  // It holds what the file held, and nobody chose who may read it.
  writePrivateFile(backup, before.bytes ?? new Uint8Array());
  try {
    replaceConfigFile(before, bytes);
  } catch (error) {
    rmSync(backup, { force: true });
    throw error;
  }
  return backup;
}

/** The backup that takes the last change of a file back, or why there is none. `force` takes the latest in any case. */
export function backupToRestore(path: string, { force }: { readonly force: boolean }): Backup | Problem {
  const { bytes } = readConfigFile(path);
  const backups = listBackups(path);
  const current = bytes === undefined ? undefined : shortDigest(bytes);
  const matching = backups.filter(({ digest }) => digest === current);
  const chosen = matching.at(-1) ?? (force ? backups.at(-1) : undefined);
  return chosen ?? (backups.length === 0 ? noBackup(path) : changedFile(path, backups));
}

/**
 * Puts a backup back, byte for byte, and removes it. Of a file that was new the backup is that there was none.
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

/** The old text of a config file, beside it. */
export interface Backup {
  readonly file: string;
  readonly digest: string;
  /** It stands for there having been no file. */
  readonly wasAbsent: boolean;
  readonly number: number;
}

const BACKUP_NAME = /\.seneschal-([0-9a-f]{12})(?:-(\d+))?\.(backup|new)$/;

/** The backups of a file, the oldest first where two are of the same text. */
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
  // One row of numbers for all backups of a file: the highest is the latest, whatever it is of.
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
    message: 'no backup of this file lies beside it',
    hint: 'there is nothing to undo; take the entry `seneschal` out by hand',
  };
}

function changedFile(at: string, backups: readonly Backup[]): Problem {
  return {
    code: 'hosts-file-changed',
    at,
    message: 'the file was changed since the broker was connected',
    hint: `take the entry \`seneschal\` out by hand, or lose the changes with \`--force\`; the backup is ${backups.at(-1)?.file ?? ''}`,
  };
}
