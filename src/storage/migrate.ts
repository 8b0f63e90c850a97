import type Sqlite from 'better-sqlite3';
import { ProblemError } from '../domain/problem.ts';
import type { Migration } from './database.ts';

/** Names of the migrations that a file has, in the order in which they were applied. */
export function appliedMigrations(connection: Sqlite.Database): readonly string[] {
  const tables = connection.prepare(`SELECT name FROM sqlite_master WHERE name = 'schema_migration'`).pluck().all();
  if (tables.length === 0) return [];
  return connection.prepare('SELECT name FROM schema_migration ORDER BY position').pluck().all().map(String);
}

/**
 * Applies the migrations that a file lacks, all in one transaction: a process killed in the middle leaves the file
 * unchanged. A file that has all of them is not written to.
 * @throws ProblemError `storage-schema-unknown` for a file that a newer version has written.
 */
export function migrate(connection: Sqlite.Database, file: string, migrations: readonly Migration[]): void {
  assertKnown(file, appliedMigrations(connection), migrations);
  connection.exec('BEGIN IMMEDIATE');
  try {
    // Read again under the lock: another process may have migrated in between.
    const applied = appliedMigrations(connection);
    assertKnown(file, applied, migrations);
    const missing = migrations.filter(({ name }) => !applied.includes(name));
    if (missing.length > 0) {
      connection.exec(
        'CREATE TABLE IF NOT EXISTS schema_migration (position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT',
      );
    }
    for (const { name, sql } of missing) {
      connection.exec(sql);
      connection.prepare('INSERT INTO schema_migration (name) VALUES (?)').run(name);
    }
    connection.exec('COMMIT');
  } catch (error) {
    connection.exec('ROLLBACK');
    throw error;
  }
}

/** @throws ProblemError `storage-schema-unknown` if the file has a migration that this version does not know. */
export function assertKnown(file: string, applied: readonly string[], migrations: readonly Migration[]): void {
  const unknown = applied.filter((name) => !migrations.some((migration) => migration.name === name));
  if (unknown.length === 0) return;
  throw new ProblemError(
    unknown.map((name) => ({
      code: 'storage-schema-unknown',
      at: file,
      message: `the file was written by a newer version: unknown migration \`${name}\``,
      hint: 'run that newer version of seneschal, or name another directory with `--data`',
    })),
  );
}
