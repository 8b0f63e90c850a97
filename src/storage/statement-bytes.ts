import type { SqlValue, Statement } from './database.ts';

// How statements lie in the memory that both threads see: numbers of SQL texts and statements, the texts that the
// writer has not seen yet, then each statement as the number of its text and its parameters. Little-endian.
const HEADER_BYTES = 8;
const STATEMENT_BYTES = 3;
const NULL = 0;
const NUMBER = 1;
const BIGINT = 2;
const TEXT = 3;
const BLOB = 4;
/** Tag and, at the most, an eight-byte number or a four-byte length. */
const PARAM_BYTES = 9;
const LENGTH_BYTES = 4;
/** UTF-8 takes at most so many bytes for one UTF-16 unit. */
const BYTES_PER_UNIT = 3;

/** Writes batches for one writer. Holds which SQL texts that writer knows, so a new writer needs a new encoder. */
export class StatementEncoder {
  readonly #ids = new Map<string, number>();

  /** No fewer bytes than `encode` will write, found without counting any text. */
  bound(statements: readonly Statement[]): number {
    let bytes = HEADER_BYTES;
    for (const { sql, params } of statements) {
      bytes += STATEMENT_BYTES + params.length * PARAM_BYTES;
      if (!this.#ids.has(sql)) bytes += LENGTH_BYTES + sql.length * BYTES_PER_UNIT;
      for (const value of params) {
        if (typeof value === 'string') bytes += value.length * BYTES_PER_UNIT;
        else if (value instanceof Uint8Array) bytes += value.length;
      }
    }
    return bytes;
  }

  /** Writes a batch from the start of `memory`, which has room for its bound. Copies every blob. */
  encode(statements: readonly Statement[], memory: Buffer): void {
    const known = this.#ids.size;
    let at = HEADER_BYTES;
    for (const { sql } of statements) {
      if (this.#ids.has(sql)) continue;
      this.#ids.set(sql, this.#ids.size);
      at = writeText(memory, at, sql);
    }
    memory.writeUInt32LE(this.#ids.size - known, 0);
    memory.writeUInt32LE(statements.length, 4);
    for (const { sql, params } of statements) {
      at = memory.writeUInt16LE(this.#ids.get(sql) ?? 0, at);
      memory[at] = params.length;
      at += 1;
      for (const value of params) at = writeParam(memory, at, value);
    }
  }
}

function writeText(memory: Buffer, at: number, text: string): number {
  const bytes = memory.write(text, at + LENGTH_BYTES);
  memory.writeUInt32LE(bytes, at);
  return at + LENGTH_BYTES + bytes;
}

function writeParam(memory: Buffer, at: number, value: SqlValue): number {
  if (typeof value === 'string') {
    memory[at] = TEXT;
    return writeText(memory, at + 1, value);
  }
  if (typeof value === 'number') {
    memory[at] = NUMBER;
    return memory.writeDoubleLE(value, at + 1);
  }
  if (value === null) {
    memory[at] = NULL;
    return at + 1;
  }
  if (typeof value === 'bigint') {
    memory[at] = BIGINT;
    return memory.writeBigInt64LE(value, at + 1);
  }
  memory[at] = BLOB;
  memory.writeUInt32LE(value.length, at + 1);
  memory.set(value, at + 1 + LENGTH_BYTES);
  return at + 1 + LENGTH_BYTES + value.length;
}

/** Reads one batch, on the writer's side: first the new texts, whatever becomes of the statements. */
export class StatementDecoder {
  readonly #memory: Buffer;
  #at = HEADER_BYTES;

  constructor(memory: Buffer) {
    this.#memory = memory;
  }

  /** The SQL texts that come with this batch; they take the next free ids. MUST be called before `each`. */
  newSql(): readonly string[] {
    return Array.from({ length: this.#memory.readUInt32LE(0) }, () => this.#text());
  }

  /** Every statement in order. Blobs are views of the memory: use them before the next batch is written. */
  each(visit: (sqlId: number, params: readonly SqlValue[], index: number) => void): void {
    const statements = this.#memory.readUInt32LE(4);
    for (let index = 0; index < statements; index += 1) {
      const sqlId = this.#memory.readUInt16LE(this.#at);
      const count = this.#memory[this.#at + 2] ?? 0;
      this.#at += STATEMENT_BYTES;
      const params: SqlValue[] = [];
      for (let param = 0; param < count; param += 1) params.push(this.#param());
      visit(sqlId, params, index);
    }
  }

  #text(): string {
    const { start, end } = this.#span();
    return this.#memory.toString('utf8', start, end);
  }

  #param(): SqlValue {
    const tag = this.#memory[this.#at];
    this.#at += 1;
    if (tag === TEXT) return this.#text();
    if (tag === NULL) return null;
    if (tag === BLOB) {
      const { start, end } = this.#span();
      // better-sqlite3 binds a Buffer, and only a Buffer, as a blob.
      return this.#memory.subarray(start, end);
    }
    const at = this.#at;
    this.#at += 8;
    return tag === BIGINT ? this.#memory.readBigInt64LE(at) : this.#memory.readDoubleLE(at);
  }

  #span(): { readonly start: number; readonly end: number } {
    const start = this.#at + LENGTH_BYTES;
    const end = start + this.#memory.readUInt32LE(this.#at);
    this.#at = end;
    return { start, end };
  }
}
