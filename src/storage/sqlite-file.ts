import { existsSync } from 'node:fs';
import { ProblemError } from '../domain/problem.ts';
import { type DatabaseReader, type Migration, StorageError } from './database.ts';
import { appliedMigrations, assertKnown } from './migrate.ts';
import { driverCodeOf, openReadOnlySqliteConnection } from './sqlite-connection.ts';
import { SqliteReader } from './sqlite-reader.ts';

/** A file that is only read: beside the daemon that owns it, or when none runs. */
export interface SqliteFileReader extends DatabaseReader {
  /** Idempotent. */
  close(): void;
}

/**
 * Opens a SQLite file for reading alone.
 * @throws ProblemError `storage-file-missing`, `storage-file-damaged`, `storage-file-unusable`, `storage-schema-unknown`,
 * or `storage-schema-outdated` when it lacks one of `migrations`.
 */
export function openSqliteForReading(path: string, migrations: readonly Migration[]): SqliteFileReader {
  if (!existsSync(path)) {
    throw new ProblemError([
      {
        ...{ code: 'storage-file-missing', at: path, message: 'nothing was recorded here yet' },
        hint: 'start `seneschal serve`, or name the data directory with `--data`',
      },
    ]);
  }
  try {
    assertSchema(path, migrations);
    return new SqliteReader(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function assertSchema(path: string, migrations: readonly Migration[]): void {
  const connection = openReadOnlySqliteConnection(path);
  try {
    const applied = appliedMigrations(connection);
    assertKnown(path, applied, migrations);
    const missing = migrations.find(({ name }) => !applied.includes(name));
    if (missing === undefined) return;
    throw new ProblemError([
      {
        ...{ code: 'storage-schema-outdated', at: path },
        message: `the file was written by an older version: it lacks migration \`${missing.name}\``,
        hint: 'start `seneschal serve` once, which brings the file up to date',
      },
    ]);
  } finally {
    connection.close();
  }
}

/** The driver's error about a file as a problem a person can act on; any other error as it is. */
export function unreadable(path: string, error: unknown): unknown {
  if (error instanceof ProblemError || error instanceof StorageError) return error;
  const code = driverCodeOf(error) ?? systemCodeOf(error);
  if (code === undefined) return error;
  const isDamaged = /^SQLITE_(NOTADB|CORRUPT)/.test(code);
  return new ProblemError([
    {
      code: isDamaged ? 'storage-file-damaged' : 'storage-file-unusable',
      at: path,
      message: isDamaged ? 'the file is damaged, or is no SQLite database' : `the file cannot be opened: ${code}`,
      hint: isDamaged
        ? 'restore it from a backup, or name another directory with `--data`'
        : 'see that the directory is yours, is writable and has room on its disk',
    },
  ]);
}

/** The code of an operating-system error, also where it crossed a thread as a plain object. */
function systemCodeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^(E[A-Z]+|SQLITE_[A-Z_]+)$/.test(code) ? code : undefined;
}
