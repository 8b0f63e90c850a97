import type Sqlite from 'better-sqlite3';
import { type DatabaseReader, type SqlValue, StorageError } from './database.ts';
import { driverCodeOf, openReadOnlySqliteConnection } from './sqlite-connection.ts';

/** Prepared queries that are kept; more distinct texts than this are a defect that must not eat memory. */
const PREPARED_LIMIT = 200;

/** A connection that reads, on the calling thread, beside whoever writes. */
export class SqliteReader implements DatabaseReader {
  readonly #connection: Sqlite.Database;
  readonly #prepared = new Map<string, Sqlite.Statement<SqlValue[]>>();

  /** @throws the driver's SqliteError when the file is not there or is no database. */
  constructor(path: string) {
    this.#connection = openReadOnlySqliteConnection(path);
  }

  read<Row>(sql: string, params: readonly SqlValue[] = []): readonly Row[] {
    try {
      // The caller states the shape of its own rows; SQL has no other way to be typed.
      return this.#prepare(sql).all(...params) as readonly Row[];
    } catch (error) {
      throw toStorageError(error);
    }
  }

  *iterate<Row>(sql: string, params: readonly SqlValue[] = []): IterableIterator<Row> {
    try {
      // A statement of its own: a shared one would be busy as long as the loop runs.
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
