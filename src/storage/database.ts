/** Value of a column or a parameter. Integers beyond 2^53 are bigint. */
export type SqlValue = string | number | bigint | null | Uint8Array;

/** A blob: the UTF-8 bytes of a text, encoded when it is handed to the writer. */
export interface Utf8Bytes {
  readonly utf8: string;
}

/** Placeholder for the SHA-256 of the blob before it. The writer thread computes it, off the main thread. */
export const SHA256_OF_BYTES_BEFORE: unique symbol = Symbol('sha256 of the bytes before');

/** Parameter of a write. */
export type WriteValue = SqlValue | Utf8Bytes | typeof SHA256_OF_BYTES_BEFORE;

/**
 * One SQL statement and its parameters. Keep the text constant: it is sent to the writer once and prepared once. A blob
 * MUST NOT be changed until the write that holds it is answered.
 */
export interface Statement {
  readonly sql: string;
  readonly params: readonly WriteValue[];
}

/** One step of the schema, applied once and in order. Each module exports its own as `migrations`. */
export interface Migration {
  /** Unique and stable, such as `identity-001-api-key`. A released name MUST NOT change or be removed. */
  readonly name: string;
  /** One or more statements. MUST NOT open or end a transaction. */
  readonly sql: string;
}

/** The reading half of the port, for a process that does not own the data directory. */
export interface DatabaseReader {
  /**
   * Runs one query on a read-only connection of the calling thread and returns all its rows. MUST see every write that
   * resolved before the call and MUST NOT see one that is not committed. Not for the hot path.
   * @throws StorageError `read-failed`, or `closed` after `close`.
   */
  read<Row>(sql: string, params?: readonly SqlValue[]): readonly Row[];
  /** Like `read`, but row by row and in constant memory. The loop MUST end before the database is closed. */
  iterate<Row>(sql: string, params?: readonly SqlValue[]): IterableIterator<Row>;
}

/** Durable storage of the modules. One writer and group commit; each module owns its tables and its SQL. */
export interface Database extends DatabaseReader {
  /**
   * Commits `statements`, all or none, in their order, after every earlier write. MUST NOT resolve before they are
   * durable (on the disk, not in its cache). An empty list resolves when every earlier write is durable.
   * Rejects with StorageError: `queue-full` at once, with nothing written; `write-failed` if the commit failed (callers
   * MUST assume that it may still have happened); `closed`. A later write is tried as usual.
   */
  write(statements: readonly Statement[]): Promise<void>;
  /**
   * Queues `statement` for the next batch: before or with the writes of this tick, in their transaction. Of several
   * with one `key` only the last is written, so a statement MUST set a whole state and not add to one. If its batch
   * fails it MUST be kept for the next one, unless a newer statement of its key is queued.
   * @throws StorageError `closed`.
   */
  put(key: string, statement: Statement): void;
  /** Number of statements that are accepted and not yet durable. */
  pending(): number;
  /** Writes all pending statements and closes. A later write or put is refused with `closed`. Idempotent. */
  close(): Promise<void>;
}

/** Reason of a storage failure. */
export type StorageErrorKind = 'queue-full' | 'write-failed' | 'read-failed' | 'closed';

/** Failure of the storage. The message holds no parameter of any statement. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly kind: StorageErrorKind;
  /** Code of the driver, if it gave one, such as `SQLITE_FULL`. */
  readonly driverCode?: string;
  constructor(kind: StorageErrorKind, message: string, driverCode?: string) {
    super(message);
    this.kind = kind;
    if (driverCode !== undefined) this.driverCode = driverCode;
  }
}
