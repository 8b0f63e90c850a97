import type Sqlite from 'better-sqlite3';
import { type DatabaseReader, type SqlValue, StorageError } from './database.ts';
import { driverCodeOf, openReadOnlySqliteConnection } from './sqlite-connection.ts';

/** Prepared queries that are kept. More distinct texts than this are a defect, which must not fill the memory. */
const PREPARED_LIMIT = 200;

/** A read-only connection on the calling thread. It works while another thread or process writes. */
export class SqliteReader implements DatabaseReader {
  readonly #connection: Sqlite.Database;
  readonly #prepared = new Map<string, Sqlite.Statement<SqlValue[]>>();

  /** @throws the driver's SqliteError if the file is missing or not a database. */
  constructor(path: string) {
    this.#connection = openReadOnlySqliteConnection(path);
  }

  read<Row>(sql: string, params: readonly SqlValue[] = []): readonly Row[] {
    try {
      // `as`: the caller states the shape of its own rows; SQL has no other types.
      return this.#prepare(sql).all(...params) as readonly Row[];
    } catch (error) {
      throw toStorageError(error);
    }
  }

  *iterate<Row>(sql: string, params: readonly SqlValue[] = []): IterableIterator<Row> {
    try {
      // Prepared anew: a cached statement would be busy while the loop runs.
      this.#assertOpen();
      for (const row of this.#connection.prepare<SqlValue[]>(sql).iterate(...params)) yield row as Row;
    } catch (error) {
      throw toStorageError(error);
    }
  }

  /** Idempotent. */
  close(): void {
    this.#prepared.clear();
    this.#connection.close();
  }

  #prepare(sql: string): Sqlite.Statement<SqlValue[]> {
    this.#assertOpen();
    const known = this.#prepared.get(sql);
    if (known) return known;
    const statement = this.#connection.prepare<SqlValue[]>(sql);
    if (this.#prepared.size >= PREPARED_LIMIT) this.#prepared.clear();
    this.#prepared.set(sql, statement);
    return statement;
  }

  #assertOpen(): void {
    if (!this.#connection.open) throw new StorageError('closed', 'the database is closed');
  }
}

function toStorageError(error: unknown): unknown {
  const code = driverCodeOf(error);
  return code === undefined ? error : new StorageError('read-failed', `reading failed with ${code}`, code);
}
