import { hash } from 'node:crypto';
import { SHA256_OF_BYTES_BEFORE, type SqlValue, type Statement, type Utf8Bytes, type WriteValue } from './database.ts';

// Layout of a batch in the shared memory: the number of new SQL texts, the number of statements, the texts that the
// writer has not seen yet, then each statement as the number of its text and its parameters. Little-endian.
const HEADER_BYTES = 8;
const STATEMENT_BYTES = 3;
const NULL = 0;
const NUMBER = 1;
const BIGINT = 2;
const TEXT = 3;
const BLOB = 4;
const SHA256_OF_BEFORE = 5;
/** Tag and, at the most, an eight-byte number or a four-byte length. */
const PARAM_BYTES = 9;
const LENGTH_BYTES = 4;
/** UTF-8 takes at most so many bytes for one UTF-16 unit. */
const BYTES_PER_UNIT = 3;

/** Writes batches for one writer. Remembers which SQL texts that writer knows, so a new writer needs a new encoder. */
export class StatementEncoder {
  readonly #ids = new Map<string, number>();

  /** An upper bound of the bytes that `encode` writes, computed without encoding any text. */
  maxBytes(statements: readonly Statement[]): number {
    let bytes = HEADER_BYTES;
    for (const { sql, params } of statements) {
      bytes += STATEMENT_BYTES + params.length * PARAM_BYTES;
      if (!this.#ids.has(sql)) bytes += LENGTH_BYTES + sql.length * BYTES_PER_UNIT;
      for (const value of params) {
        if (typeof value === 'string') bytes += value.length * BYTES_PER_UNIT;
        else if (value instanceof Uint8Array) bytes += value.length;
        else if (isUtf8Bytes(value)) bytes += value.utf8.length * BYTES_PER_UNIT;
      }
    }
    return bytes;
  }

  /** Writes a batch to the start of `buffer`, which MUST have room for `maxBytes`. Copies every blob. */
  encode(statements: readonly Statement[], buffer: Buffer): void {
    const sqlId = this.#ids.size;
    let at = HEADER_BYTES;
    for (const { sql } of statements) {
      if (this.#ids.has(sql)) continue;
      this.#ids.set(sql, this.#ids.size);
      at = writeText(buffer, at, sql);
    }
    buffer.writeUInt32LE(this.#ids.size - sqlId, 0);
    buffer.writeUInt32LE(statements.length, 4);
    for (const { sql, params } of statements) {
      at = buffer.writeUInt16LE(this.#ids.get(sql) ?? 0, at);
      buffer[at] = params.length;
      at += 1;
      for (const value of params) at = writeParam(buffer, at, value);
    }
  }
}

function writeText(buffer: Buffer, at: number, text: string): number {
  const bytes = buffer.write(text, at + LENGTH_BYTES);
  buffer.writeUInt32LE(bytes, at);
  return at + LENGTH_BYTES + bytes;
}

function isUtf8Bytes(value: WriteValue): value is Utf8Bytes {
  return typeof value === 'object' && value !== null && 'utf8' in value;
}

function writeParam(buffer: Buffer, at: number, value: WriteValue): number {
  if (typeof value === 'string') {
    buffer[at] = TEXT;
    return writeText(buffer, at + 1, value);
  }
  if (typeof value === 'number') {
    buffer[at] = NUMBER;
    return buffer.writeDoubleLE(value, at + 1);
  }
  if (value === null) {
    buffer[at] = NULL;
    return at + 1;
  }
  if (typeof value === 'bigint') {
    buffer[at] = BIGINT;
    return buffer.writeBigInt64LE(value, at + 1);
  }
  if (value === SHA256_OF_BYTES_BEFORE) {
    buffer[at] = SHA256_OF_BEFORE;
    return at + 1;
  }
  buffer[at] = BLOB;
  if (isUtf8Bytes(value)) return writeText(buffer, at + 1, value.utf8);
  buffer.writeUInt32LE(value.length, at + 1);
  buffer.set(value, at + 1 + LENGTH_BYTES);
  return at + 1 + LENGTH_BYTES + value.length;
}

/** Reads one batch on the writer's side. The new SQL texts come first and are kept even if a statement fails. */
export class StatementDecoder {
  readonly #buffer: Buffer;
  #at = HEADER_BYTES;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  /** SQL texts that are new with this batch; they take the next free ids. MUST be called before `each`. */
  newSql(): readonly string[] {
    return Array.from({ length: this.#buffer.readUInt32LE(0) }, () => this.#text());
  }

  /** Visits every statement in order. Blobs are views of the memory: use them before the next batch is written. */
  each(visit: (sqlId: number, params: readonly SqlValue[], index: number) => void): void {
    const statements = this.#buffer.readUInt32LE(4);
    for (let index = 0; index < statements; index += 1) {
      const sqlId = this.#buffer.readUInt16LE(this.#at);
      const count = this.#buffer[this.#at + 2] ?? 0;
      this.#at += STATEMENT_BYTES;
      const params: SqlValue[] = [];
      for (let param = 0; param < count; param += 1) params.push(this.#param(params[param - 1]));
      visit(sqlId, params, index);
    }
  }

  #text(): string {
    const { start, end } = this.#span();
    return this.#buffer.toString('utf8', start, end);
  }

  #param(before: SqlValue | undefined): SqlValue {
    const tag = this.#buffer[this.#at];
    this.#at += 1;
    if (tag === TEXT) return this.#text();
    if (tag === NULL) return null;
    if (tag === BLOB) {
      const { start, end } = this.#span();
      // better-sqlite3 binds a Buffer, and only a Buffer, as a blob.
      return this.#buffer.subarray(start, end);
    }
    if (tag === SHA256_OF_BEFORE) return hash('sha256', before instanceof Uint8Array ? before : '', 'buffer');
    const at = this.#at;
    this.#at += 8;
    return tag === BIGINT ? this.#buffer.readBigInt64LE(at) : this.#buffer.readDoubleLE(at);
  }

  #span(): { readonly start: number; readonly end: number } {
    const start = this.#at + LENGTH_BYTES;
    const end = start + this.#buffer.readUInt32LE(this.#at);
    this.#at = end;
    return { start, end };
  }
}

/** Size of the shared area: room for a few hundred entries. A larger batch is posted in memory of its own. */
const STATEMENT_AREA_BYTES = 1 << 20;

const CONTROL_BYTES = 8;
const COMMAND = 0;
const KIND = 1;

/** Command to the writer: commit the batch in the shared memory, commit the batch that was posted, or close. */
export type CommandKind = 'shared' | 'posted' | 'close';
const KINDS: readonly CommandKind[] = ['shared', 'posted', 'close'];

/**
 * Memory that the main thread and the writer thread share. Each command raises a counter by one, and the writer sleeps
 * on that counter (`Atomics.wait`). `npm run bench -- --writer` measures this against `postMessage`.
 */
export class WriterChannel {
  readonly shared: SharedArrayBuffer;
  /** Holds the batch of a `shared` command. */
  readonly statements: Buffer;
  readonly #control: Int32Array;
  #lastReceived = 0;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(CONTROL_BYTES + STATEMENT_AREA_BYTES)) {
    this.shared = shared;
    this.statements = Buffer.from(shared, CONTROL_BYTES);
    this.#control = new Int32Array(shared, 0, CONTROL_BYTES / Int32Array.BYTES_PER_ELEMENT);
  }

  /** Sends a command. MUST NOT be called before the writer has answered the previous one. */
  send(kind: CommandKind): void {
    Atomics.store(this.#control, KIND, KINDS.indexOf(kind));
    Atomics.add(this.#control, COMMAND, 1);
    Atomics.notify(this.#control, COMMAND);
  }

  /** Blocks the thread until the next command arrives. For the writer thread only. */
  receive(): CommandKind {
    Atomics.wait(this.#control, COMMAND, this.#lastReceived);
    this.#lastReceived = Atomics.load(this.#control, COMMAND);
    return KINDS[Atomics.load(this.#control, KIND)] ?? 'close';
  }
}
