import { existsSync } from 'node:fs';
import { ProblemError } from '../domain/problem.ts';
import { type DatabaseReader, type Migration, StorageError } from './database.ts';
import { appliedMigrations, assertKnown } from './migrate.ts';
import { driverCodeOf, openReadOnlySqliteConnection } from './sqlite-connection.ts';
import { SqliteReader } from './sqlite-reader.ts';

/** Reads a SQLite file, also while the broker that owns it runs. */
export interface SqliteFileReader extends DatabaseReader {
  /** Idempotent. */
  close(): void;
}

/**
 * Opens a SQLite file for reading only.
 * @throws ProblemError `storage-file-missing`, `storage-file-damaged`, `storage-file-unusable`, `storage-schema-unknown`,
 * or `storage-schema-outdated` if it lacks one of `migrations`.
 */
export function openSqliteForReading(path: string, migrations: readonly Migration[]): SqliteFileReader {
  if (!existsSync(path)) {
    throw new ProblemError([
      {
        code: 'storage-file-missing',
        at: path,
        message: 'the data directory has no ledger yet',
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
        code: 'storage-schema-outdated',
        at: path,
        message: `the file was written by an older version: it lacks migration \`${missing.name}\``,
        hint: 'start `seneschal serve` once; it applies the missing migrations',
      },
    ]);
  } finally {
    connection.close();
  }
}

/** Converts a driver error about a file into a ProblemError; returns any other error unchanged. */
export function unreadable(path: string, error: unknown): unknown {
  if (error instanceof ProblemError || error instanceof StorageError) return error;
  const code = driverCodeOf(error) ?? systemCodeOf(error);
  if (code === undefined) return error;
  const isDamaged = /^SQLITE_(NOTADB|CORRUPT)/.test(code);
  return new ProblemError([
    {
      code: isDamaged ? 'storage-file-damaged' : 'storage-file-unusable',
      at: path,
      message: isDamaged ? 'the file is damaged or not a SQLite database' : `the file cannot be opened: ${code}`,
      hint: isDamaged
        ? 'restore it from a backup, or name another directory with `--data`'
        : 'check that the directory belongs to you, is writable and has room on its disk',
    },
  ]);
}

/** Code of an operating-system error, also after it has crossed a thread as a plain object. */
function systemCodeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^(E[A-Z]+|SQLITE_[A-Z_]+)$/.test(code) ? code : undefined;
}
