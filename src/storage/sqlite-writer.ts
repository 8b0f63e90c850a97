import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type Sqlite from 'better-sqlite3';
import type { SqlValue } from './database.ts';
import { driverCodeOf, openSqliteConnection } from './sqlite-connection.ts';
import { type CommandKind, StatementDecoder, WriterChannel } from './writer-channel.ts';

/** Arguments of the writer thread. */
export interface SqliteWriterStart {
  readonly path: string;
  readonly shared: SharedArrayBuffer;
}

/** Message of the writer thread: `ready` once, then one reply to each batch, in order. */
export type WriterReply = 'ready' | 'committed' | WriterFailure;

/** A batch that failed. After a failed sync it is unknown whether it was committed. */
export interface WriterFailure {
  /** The driver's code, such as `SQLITE_FULL`; `unknown` when the driver gave none. */
  readonly code: string;
  /** Index in the batch of the statement that failed; undefined if the file or the disk failed. */
  readonly statement?: number;
}

/** Codes that are the fault of one statement; every other code is the fault of the file, the disk or the machine. */
const STATEMENT_ERROR_CODES = /^SQLITE_(CONSTRAINT|ERROR|MISMATCH|TOOBIG|RANGE|MISUSE)/;

/** The only connection that writes. Runs in a thread of its own, because a sync of the disk blocks. */
class SqliteWriter {
  readonly #path: string;
  readonly #sql: string[] = [];
  #connection: Sqlite.Database | undefined;
  #begin: Sqlite.Statement | undefined;
  #commit: Sqlite.Statement | undefined;
  #prepared: Sqlite.Statement<SqlValue[]>[] = [];

  constructor(path: string) {
    this.#path = path;
    this.#connection = openSqliteConnection(path);
  }

  commit(batch: StatementDecoder): WriterReply {
    this.#sql.push(...batch.newSql());
    let current: number | undefined;
    try {
      const connection = this.#open();
      this.#begin ??= connection.prepare('BEGIN IMMEDIATE');
      this.#commit ??= connection.prepare('COMMIT');
      this.#begin.run();
      batch.each((sqlId, params, index) => {
        current = index;
        this.#prepare(connection, sqlId).run(...params);
      });
      current = undefined;
      this.#commit.run();
      return 'committed';
    } catch (error) {
      return this.#fail(error, current);
    }
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  #open(): Sqlite.Database {
    this.#connection ??= openSqliteConnection(this.#path);
    return this.#connection;
  }

  #prepare(connection: Sqlite.Database, sqlId: number): Sqlite.Statement<SqlValue[]> {
    const known = this.#prepared[sqlId];
    if (known) return known;
    const statement = connection.prepare<SqlValue[]>(this.#sql[sqlId] ?? '');
    this.#prepared[sqlId] = statement;
    return statement;
  }

  #fail(error: unknown, statement: number | undefined): WriterFailure {
    const code = driverCodeOf(error);
    const isStatementError = statement !== undefined && (code === undefined || STATEMENT_ERROR_CODES.test(code));
    if (!this.#rollBack() || !isStatementError) this.#reopenNextTime();
    return isStatementError ? { code: code ?? 'unknown', statement } : { code: code ?? 'unknown' };
  }

  #rollBack(): boolean {
    try {
      if (this.#connection?.inTransaction) this.#connection.exec('ROLLBACK');
      return true;
    } catch {
      return false;
    }
  }

  /** After a failed sync the cache of the connection cannot be trusted; a new connection reads the file again. */
  #reopenNextTime(): void {
    this.#prepared = [];
    this.#begin = undefined;
    this.#commit = undefined;
    try {
      this.#connection?.close();
    } catch {
      // A connection that cannot be closed ends with the thread.
    }
    this.#connection = undefined;
  }
}

/** Handles commands until `close`. The thread does nothing else, so it may block in between. */
function serve({ path, shared }: SqliteWriterStart, port: MessagePort): void {
  const channel = new WriterChannel(shared);
  const writer = new SqliteWriter(path);
  const reply = (message: WriterReply): void => port.postMessage(message);
  reply('ready');
  for (let command = channel.receive(); command !== 'close'; command = channel.receive()) {
    reply(writer.commit(new StatementDecoder(receiveBatch(command, channel, port))));
  }
  writer.close();
  port.close();
}

function receiveBatch(command: CommandKind, channel: WriterChannel, port: MessagePort): Buffer {
  if (command === 'shared') return channel.statements;
  const posted: unknown = receiveMessageOnPort(port)?.message;
  if (posted instanceof SharedArrayBuffer) return Buffer.from(posted);
  throw new Error('the command `posted` arrived without a batch');
}

function isStart(data: unknown): data is SqliteWriterStart {
  return typeof data === 'object' && data !== null && 'shared' in data && data.shared instanceof SharedArrayBuffer;
}

// Without these arguments the file was only imported, for its types.
if (parentPort && isStart(workerData)) serve(workerData, parentPort);
