import Sqlite from 'better-sqlite3';
import type { Problem } from '../domain/problem.ts';

/** Wait of a write for a lock that another process holds, such as a backup. */
const BUSY_TIMEOUT_MS = 5_000;
/** Page size of new files, in bytes: a commit of 16 calls writes half as many pages as with 4 KB. A file keeps its page size. */
const PAGE_BYTES = 8_192;
/** Size of the write-ahead log, in bytes, at which it is copied into the file. */
const WAL_BYTES = 16 * 1_024 * 1_024;

/**
 * Opens the connection that may write. WAL with `synchronous=FULL` syncs the log at every commit, so that a commit
 * survives a power cut (sqlite.org/pragma.html#pragma_synchronous); `secure_delete` overwrites deleted content.
 * @throws the driver's SqliteError.
 */
export function openSqliteConnection(path: string): Sqlite.Database {
  const connection = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    connection.pragma(`page_size = ${PAGE_BYTES}`);
    connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = FULL');
    connection.pragma('secure_delete = ON');
    connection.pragma('foreign_keys = ON');
    connection.pragma(`wal_autocheckpoint = ${WAL_BYTES / pageBytesOf(connection)}`);
    connection.pragma(`journal_size_limit = ${WAL_BYTES}`);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function pageBytesOf(connection: Sqlite.Database): number {
  return Number(connection.pragma('page_size', { simple: true }));
}

/** Opens a read-only connection, also while another process writes. @throws the driver's SqliteError. */
export function openReadOnlySqliteConnection(path: string): Sqlite.Database {
  return new Sqlite(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
}

/** Code of a driver error, such as `SQLITE_FULL`; undefined for any other error. */
export function driverCodeOf(error: unknown): string | undefined {
  return error instanceof Sqlite.SqliteError ? error.code : undefined;
}

const openInMemory = (): void => void new Sqlite(':memory:').close();

/** Problem that keeps the native part of better-sqlite3 from loading; undefined if it loads. */
export function nativeModuleProblem(openDatabase: () => void = openInMemory): Problem | undefined {
  try {
    openDatabase();
    return undefined;
  } catch (error) {
    const explanation = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'not an error';
    return {
      code: 'storage-native-module',
      at: 'better-sqlite3',
      message: `the native module does not load: ${explanation}`,
      hint: 'run `npm rebuild better-sqlite3` with the Node version that runs the broker, or install again',
    };
  }
}
