import { closeSync, openSync } from 'node:fs';
import { ProblemError } from '../domain/problem.ts';
import { type Database, type Migration, type SqlValue, type Statement, StorageError } from './database.ts';
import { migrate } from './migrate.ts';
import { openSqliteConnection } from './sqlite-connection.ts';
import { unreadable } from './sqlite-file.ts';
import { SqliteReader } from './sqlite-reader.ts';
import { SqliteThread } from './sqlite-thread.ts';
import type { WriterFailure } from './sqlite-writer.ts';
import { type Batch, statementsOf, WriteQueue, withoutStatement } from './write-queue.ts';

/** Longest wait for as many writes as the last commit had: one commit costs as much as ten writes. */
const BATCH_DELAY_MS = 2;
/** If the last commit had fewer writes than this, none waits: sharing the commit would save less than the wait costs. */
const MIN_WRITES_TO_WAIT = 4;

/** Options of `openSqlite`. */
export interface SqliteOptions {
  readonly path: string;
  readonly migrations: readonly Migration[];
  /** Statements that may be queued or in flight before writes are refused. Default: 10,000. */
  readonly queueLimit?: number;
  /** Called with the error of a `put` that the database refuses: a defect. It is dropped and does not block the rest. */
  readonly onDefect?: (error: StorageError) => void;
}

/**
 * Opens a SQLite file, creates it if it is missing (readable by its owner only) and applies missing migrations. The
 * caller MUST hold the lock of the data directory: two writers of one file are not supported.
 * @throws ProblemError `storage-file-damaged`, `storage-file-unusable` or `storage-schema-unknown`.
 */
export async function openSqlite(options: SqliteOptions): Promise<Database> {
  const { path } = options;
  try {
    closeSync(openSync(path, 'a', 0o600));
    const connection = openSqliteConnection(path);
    let reader: SqliteReader;
    try {
      migrate(connection, path, options.migrations);
      // Opened before the other is closed: closing the last connection checkpoints the log, which would slow the start.
      reader = new SqliteReader(path);
    } finally {
      connection.close();
    }
    return new SqliteDatabase(await SqliteThread.start(path), reader, options);
  } catch (error) {
    throw unreadable(path, error);
  }
}

class SqliteDatabase implements Database {
  readonly #options: SqliteOptions;
  readonly #reader: SqliteReader;
  readonly #queue: WriteQueue;
  #thread: SqliteThread;
  #inFlight = 0;
  #isScheduled = false;
  #previousWriteCount = 0;
  #batchTimer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #whenIdle: (() => void) | undefined;

  constructor(thread: SqliteThread, reader: SqliteReader, options: SqliteOptions) {
    this.#thread = thread;
    this.#reader = reader;
    this.#options = options;
    this.#queue = new WriteQueue(options.queueLimit ?? 10_000);
  }

  write(statements: readonly Statement[]): Promise<void> {
    if (this.#closing) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      if (this.#queue.push({ statements, resolve, reject }, this.#inFlight)) this.#schedule();
      else
        reject(
          new StorageError('queue-full', `the write queue is full: ${this.pending()} statements wait for the disk`),
        );
    });
  }

  put(key: string, statement: Statement): void {
    if (this.#closing) throw closedError();
    this.#queue.put(key, statement);
    this.#schedule();
  }

  read<Row>(sql: string, params?: readonly SqlValue[]): readonly Row[] {
    return this.#reader.read<Row>(sql, params);
  }

  iterate<Row>(sql: string, params?: readonly SqlValue[]): IterableIterator<Row> {
    return this.#reader.iterate<Row>(sql, params);
  }

  pending(): number {
    return this.#queue.size + this.#inFlight;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (!this.#queue.isEmpty) this.#submitSoon();
    if (this.#isScheduled) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    // The writer closes last: the last connection of a file checkpoints its log and removes it.
    this.#reader.close();
    await this.#thread.close();
    if (!this.#queue.isEmpty) throw lastStateLostWarning(this.#options.path);
  }

  /**
   * Submits the batch at the end of the event-loop turn in which as many writes wait as the last commit had, and after
   * two milliseconds at the latest. If the last commit had fewer than four, it submits at the end of this turn. So a
   * single write does not wait, and many concurrent writes share a commit.
   */
  #schedule(): void {
    if (this.#isScheduled || this.#queue.isEmpty) return;
    const isBusy = this.#previousWriteCount >= MIN_WRITES_TO_WAIT && this.#queue.writes < this.#previousWriteCount;
    if (isBusy && this.#closing === undefined) {
      this.#batchTimer ??= setTimeout(this.#submitSoon, BATCH_DELAY_MS);
    } else {
      this.#submitSoon();
    }
  }

  readonly #submitSoon = (): void => {
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#submit);
  };

  readonly #submit = (): void => {
    const batch = this.#queue.take();
    this.#previousWriteCount = batch.writes.length;
    if (this.#thread.isAlive) this.#commit(batch);
    else void this.#restart(batch);
  };

  /** Starts a new thread if the last one died. If that fails too, the batch fails. */
  async #restart(batch: Batch): Promise<void> {
    try {
      this.#thread = await SqliteThread.start(this.#options.path);
    } catch {
      // The dead thread answers the batch with a failure below.
    }
    this.#commit(batch);
  }

  #commit(batch: Batch): void {
    const statements = statementsOf(batch);
    this.#inFlight = statements.length;
    this.#thread.commit(statements, (reply) => {
      this.#inFlight = 0;
      if (reply === 'committed') for (const write of batch.writes) write.resolve();
      else if (reply.statement !== undefined && this.#retryWithout(batch, reply)) return;
      else if (reply.statement === undefined) this.#fail(batch, reply);
      this.#next(reply === 'committed' || reply.statement !== undefined);
    });
  }

  /** Commits the batch again without the failed statement, which must not fail the other writes of the same tick. */
  #retryWithout(batch: Batch, { code, statement = 0 }: WriterFailure): boolean {
    const { rest, failed } = withoutStatement(batch, statement);
    const sql = statementsOf(batch)[statement]?.sql.slice(0, 60) ?? '';
    const error = new StorageError('write-failed', `the database refused \`${sql}\` with ${code}`, code);
    if (failed) failed.reject(error);
    else this.#options.onDefect?.(error);
    if (rest.puts.size === 0 && rest.writes.length === 0) return false;
    this.#commit(rest);
    return true;
  }

  #fail(batch: Batch, { code }: WriterFailure): void {
    this.#queue.requeue(batch.puts);
    const error = new StorageError('write-failed', `the commit failed with ${code}`, code);
    for (const write of batch.writes) write.reject(error);
  }

  #next(isHealthy: boolean): void {
    this.#isScheduled = false;
    // Requeued states wait for the next write or put, so that a full disk is not retried in a loop.
    if (isHealthy || this.#queue.hasWrites) this.#schedule();
    if (!this.#isScheduled) this.#whenIdle?.();
  }
}

function lastStateLostWarning(path: string): ProblemError {
  const message = 'the last state could not be written';
  const hint =
    'make room on the disk and start the broker again; calls without an outcome are then recorded as in doubt';
  return new ProblemError([{ code: 'storage-last-state-lost', at: path, message, hint }]);
}

function closedError(): StorageError {
  return new StorageError('closed', 'the database is closed');
}
