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

/** A commit waits so long for as many writings as the last one had, since one commit costs what ten writings do. */
const BATCH_DELAY_MS = 2;
/** A last commit with fewer writings than this makes none wait: what is saved is less than what the wait costs. */
const GATHER_FROM = 4;

/** How a SQLite file is opened for its one writer. */
export interface SqliteOptions {
  readonly path: string;
  readonly migrations: readonly Migration[];
  /** Statements that may wait or be under way before writes are refused. Default: 10,000. */
  readonly queueLimit?: number;
  /** Told of a `put` whose statement the database refuses: a defect, dropped so that it cannot block the others. */
  readonly onDefect?: (error: StorageError) => void;
}

/**
 * Opens a SQLite file, creates it where there is none (readable by its owner alone) and brings its schema up to date.
 * The caller holds the data directory's lock: two writers of one file are not provided for.
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
      // Opened before the other is closed: the last one to close works the log into the file, which costs a start time.
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
      else reject(new StorageError('queue-full', `${this.pending()} statements wait for the disk already`));
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
    // The writer closes last: the last connection of a file works its log in and removes it.
    this.#reader.close();
    await this.#thread.close();
    if (!this.#queue.isEmpty) throw lastStateLostWarning(this.#options.path);
  }

  /**
   * Hands over at the end of the turn of the event loop in which as many writings wait as the last commit had, or two
   * milliseconds later; where that had fewer than four, at the end of this turn. So a few writings wait for nobody, and
   * many at once share their commits.
   */
  #schedule(): void {
    if (this.#isScheduled || this.#queue.isEmpty) return;
    const isBusy = this.#previousWriteCount >= GATHER_FROM && this.#queue.writes < this.#previousWriteCount;
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

  /** A thread that died takes its connection with it; the next batch finds a new one, or fails as itself. */
  async #restart(batch: Batch): Promise<void> {
    try {
      this.#thread = await SqliteThread.start(this.#options.path);
    } catch {
      // Told by the batch, which the dead thread answers with a failure.
    }
    this.#commit(batch);
  }

  #commit(batch: Batch): void {
    const statements = statementsOf(batch);
    this.#inFlight = statements.length;
    this.#thread.commit(statements, (reply) => {
      this.#inFlight = 0;
      if (reply === 'committed') for (const writing of batch.writes) writing.resolve();
      else if (reply.statement !== undefined && this.#retryWithout(batch, reply)) return;
      else if (reply.statement === undefined) this.#fail(batch, reply);
      this.#next(reply === 'committed' || reply.statement !== undefined);
    });
  }

  /** One statement that cannot be must not fail what others wrote in the same tick. */
  #retryWithout(batch: Batch, { code, statement = 0 }: WriterFailure): boolean {
    const { rest, failed } = withoutStatement(batch, statement);
    const sql = statementsOf(batch)[statement]?.sql.slice(0, 60) ?? '';
    const error = new StorageError('write-failed', `the database refuses \`${sql}\` with ${code}`, code);
    if (failed) failed.reject(error);
    else this.#options.onDefect?.(error);
    if (rest.puts.size === 0 && rest.writes.length === 0) return false;
    this.#commit(rest);
    return true;
  }

  #fail(batch: Batch, { code }: WriterFailure): void {
    this.#queue.requeue(batch.puts);
    const error = new StorageError('write-failed', `the commit failed with ${code}`, code);
    for (const writing of batch.writes) writing.reject(error);
  }

  #next(isHealthy: boolean): void {
    this.#isScheduled = false;
    // States that were given back wait for the next write or put: a full disk is not asked in a loop.
    if (isHealthy || this.#queue.hasWrites) this.#schedule();
    if (!this.#isScheduled) this.#whenIdle?.();
  }
}

function lastStateLostWarning(path: string): ProblemError {
  const message = 'the last state could not be written';
  const hint = 'see that its disk has room, and start the broker again: calls without an outcome are then in doubt';
  return new ProblemError([{ code: 'storage-last-state-lost', at: path, message, hint }]);
}

function closedError(): StorageError {
  return new StorageError('closed', 'the database is closed');
}
