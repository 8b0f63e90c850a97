import Sqlite from 'better-sqlite3';
import type { Problem } from '../domain/problem.ts';

/** How long a write waits for a lock that another process holds, a backup for instance. */
const BUSY_TIMEOUT_MS = 5_000;
/** A commit of 16 calls writes half as many pages as with 4 KB. A file keeps the page size that it was made with. */
const PAGE_BYTES = 8_192;
/** Size of the write-ahead log after which it is moved into the file. */
const WAL_BYTES = 16 * 1_024 * 1_024;

/**
 * Opens the connection that may write. WAL with `synchronous=FULL` syncs the log at every commit, so that what is
 * committed survives a power cut (sqlite.org/pragma.html#pragma_synchronous); `secure_delete` overwrites what is erased.
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

/** Opens a connection that cannot write, also beside another process that does. @throws the driver's SqliteError. */
export function openReadOnlySqliteConnection(path: string): Sqlite.Database {
  return new Sqlite(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
}

/** The driver's code of an error, such as `SQLITE_FULL`; undefined when it is not the driver's. */
export function driverCodeOf(error: unknown): string | undefined {
  return error instanceof Sqlite.SqliteError ? error.code : undefined;
}

const openInMemory = (): void => void new Sqlite(':memory:').close();

/** What keeps the native half of better-sqlite3 from being loaded; undefined when it loads. */
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
      hint: 'run `npm rebuild better-sqlite3` with the Node that runs the broker, or install again',
    };
  }
}
