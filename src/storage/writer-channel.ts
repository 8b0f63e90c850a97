import { hash } from 'node:crypto';
import { SHA256_OF_BYTES_BEFORE, type SqlValue, type Statement, type Utf8Bytes, type WriteValue } from './database.ts';

// How statements lie in the memory that both threads see: numbers of SQL texts and statements, the texts that the
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

/** Writes batches for one writer. Holds which SQL texts that writer knows, so a new writer needs a new encoder. */
export class StatementEncoder {
  readonly #ids = new Map<string, number>();

  /** No fewer bytes than `encode` will write, found without counting any text. */
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

  /** Writes a batch from the start of `memory`, which has room for its bound. Copies every blob. */
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

/** Reads one batch, on the writer's side: first the new texts, whatever becomes of the statements. */
export class StatementDecoder {
  readonly #buffer: Buffer;
  #at = HEADER_BYTES;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  /** The SQL texts that come with this batch; they take the next free ids. MUST be called before `each`. */
  newSql(): readonly string[] {
    return Array.from({ length: this.#buffer.readUInt32LE(0) }, () => this.#text());
  }

  /** Every statement in order. Blobs are views of the memory: use them before the next batch is written. */
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

/** Bytes of a batch that need no memory of their own: some hundred entries. */
const STATEMENT_AREA_BYTES = 1 << 20;

const CONTROL_BYTES = 8;
const COMMAND = 0;
const KIND = 1;

/** What the writer is to do: the batch in the standing memory, one in memory that was posted to it, or end. */
export type CommandKind = 'standing' | 'posted' | 'close';
const KINDS: readonly CommandKind[] = ['standing', 'posted', 'close'];

/**
 * The memory that the main thread and the writer thread share. An order is a number that grows by one; the writer
 * sleeps on it as on a futex, which costs a tenth of a message between threads.
 */
export class WriterChannel {
  readonly shared: SharedArrayBuffer;
  /** Where a batch lies that fits. */
  readonly statements: Buffer;
  readonly #control: Int32Array;
  #lastReceived = 0;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(CONTROL_BYTES + STATEMENT_AREA_BYTES)) {
    this.shared = shared;
    this.statements = Buffer.from(shared, CONTROL_BYTES);
    this.#control = new Int32Array(shared, 0, CONTROL_BYTES / Int32Array.BYTES_PER_ELEMENT);
  }

  /** Gives an order. MUST NOT be called before the one before it is answered. */
  send(kind: CommandKind): void {
    Atomics.store(this.#control, KIND, KINDS.indexOf(kind));
    Atomics.add(this.#control, COMMAND, 1);
    Atomics.notify(this.#control, COMMAND);
  }

  /** Sleeps until an order comes that was not seen yet. Blocks its thread: for the writer alone. */
  receive(): CommandKind {
    Atomics.wait(this.#control, COMMAND, this.#lastReceived);
    this.#lastReceived = Atomics.load(this.#control, COMMAND);
    return KINDS[Atomics.load(this.#control, KIND)] ?? 'close';
  }
}
