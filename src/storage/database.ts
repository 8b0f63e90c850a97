/** What a column or a parameter can hold. Integers past 2^53 travel as bigint. */
export type SqlValue = string | number | bigint | null | Uint8Array;

/**
 * One line of SQL and its parameters. Keep the text constant: it is prepared once and goes over to the writer once. A
 * blob MUST NOT be changed until the write that holds it is answered.
 */
export interface Statement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/** One step of the schema, applied once and in order. Each room exports its own as `migrations`. */
export interface Migration {
  /** Unique and stable, as `identity-001-api-key`. A name that was ever released MUST NOT change or vanish. */
  readonly name: string;
  /** One or more statements. MUST NOT open or end a transaction. */
  readonly sql: string;
}

/** The reading half of the port: what a process that does not own the data directory gets. */
export interface DatabaseReader {
  /**
   * Runs one query on a read-only connection of the calling thread and returns all its rows. MUST see every write that
   * resolved before the call and MUST NOT see one that is not committed. Never for the hot path.
   * @throws StorageError `read-failed`, or `closed` after `close`.
   */
  read<Row>(sql: string, params?: readonly SqlValue[]): readonly Row[];
  /** Like `read`, row by row, in constant memory. The loop MUST be ended before the database is closed. */
  iterate<Row>(sql: string, params?: readonly SqlValue[]): IterableIterator<Row>;
}

/** Where a room keeps what must survive. One writer, group commit; rooms own their tables and their SQL. */
export interface Database extends DatabaseReader {
  /**
   * Commits `statements`, all or none, in their order, after all that was handed over before. MUST NOT resolve before
   * they are durable (on the disk, not in its cache). An empty list resolves when all before it is durable.
   * Rejects with StorageError: `queue-full` at once and without having written; `write-failed` when the commit failed,
   * of which it MUST be assumed that nobody knows whether it happened; `closed`. The next write tries anew.
   */
  write(statements: readonly Statement[]): Promise<void>;
  /**
   * Leaves `statement` to be written with the next batch: before or with the writes of this tick, in their transaction.
   * Of several with one `key` only the last is written, so a statement MUST set a whole state and not add to one.
   * When its batch fails it MUST be kept for the next one, unless a newer statement of its key is there.
   * @throws StorageError `closed`.
   */
  put(key: string, statement: Statement): void;
  /** Statements that are handed over and not yet durable. */
  pending(): number;
  /** Writes out what is pending and closes. A write or put after it is refused with `closed`. Idempotent. */
  close(): Promise<void>;
}

/** Why the storage could not do it. */
export type StorageErrorKind = 'queue-full' | 'write-failed' | 'read-failed' | 'closed';

/** A storage that could not do what was asked. The message holds no parameter of any statement. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly kind: StorageErrorKind;
  /** Code of the driver where it gave one, such as `SQLITE_FULL`. */
  readonly driverCode?: string;
  constructor(kind: StorageErrorKind, message: string, driverCode?: string) {
    super(message);
    this.kind = kind;
    if (driverCode !== undefined) this.driverCode = driverCode;
  }
}
