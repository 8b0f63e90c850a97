import type { SqlValue, Statement } from './database.ts';

/**
 * Statements as they cross to the writer thread: SQL once per text, parameters in one flat list and blobs in one
 * buffer, since a structured clone costs by the object and not by the byte.
 */
export interface StatementBatch {
  /** Texts that the writer has not seen; they take the next free ids. */
  readonly newSql: readonly string[];
  /** For each statement its SQL id and the number of its parameters. */
  readonly shape: readonly number[];
  /** All parameters in order; `undefined` stands for the next blob. */
  readonly params: readonly (Exclude<SqlValue, Uint8Array> | undefined)[];
  readonly blobLengths: readonly number[];
  readonly blobs: Uint8Array<ArrayBuffer>;
}

const NO_BYTES: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** Encodes batches for one writer. Holds which SQL texts that writer knows, so a new writer needs a new encoder. */
export class StatementEncoder {
  readonly #ids = new Map<string, number>();

  /** The batch of these statements. Copies every blob, so that the caller may reuse its buffers. */
  encode(statements: readonly Statement[]): StatementBatch {
    const newSql: string[] = [];
    const shape: number[] = [];
    const params: (Exclude<SqlValue, Uint8Array> | undefined)[] = [];
    const found: Uint8Array[] = [];
    let blobBytes = 0;
    for (const statement of statements) {
      shape.push(this.#idOf(statement.sql, newSql), statement.params.length);
      for (const value of statement.params) {
        if (value instanceof Uint8Array) {
          found.push(value);
          blobBytes += value.length;
          params.push(undefined);
        } else {
          params.push(value);
        }
      }
    }
    return { newSql, shape, params, ...joinBlobs(found, blobBytes) };
  }

  #idOf(sql: string, newSql: string[]): number {
    const known = this.#ids.get(sql);
    if (known !== undefined) return known;
    const id = this.#ids.size;
    this.#ids.set(sql, id);
    newSql.push(sql);
    return id;
  }
}

function joinBlobs(found: readonly Uint8Array[], length: number): Pick<StatementBatch, 'blobLengths' | 'blobs'> {
  if (found.length === 0) return { blobLengths: [], blobs: NO_BYTES };
  const blobs = new Uint8Array(length);
  const blobLengths: number[] = [];
  let at = 0;
  for (const blob of found) {
    blobs.set(blob, at);
    at += blob.length;
    blobLengths.push(blob.length);
  }
  return { blobLengths, blobs };
}

/** Walks a batch, statement by statement, on the writer's side. */
export function eachStatement(
  batch: StatementBatch,
  visit: (sqlId: number, params: readonly SqlValue[], index: number) => void,
): void {
  let paramAt = 0;
  let blobAt = 0;
  let byteAt = 0;
  for (let index = 0; index * 2 < batch.shape.length; index += 1) {
    const sqlId = batch.shape[index * 2] ?? -1;
    const end = paramAt + (batch.shape[index * 2 + 1] ?? 0);
    const params: SqlValue[] = [];
    for (; paramAt < end; paramAt += 1) {
      const value = batch.params[paramAt];
      if (value !== undefined) {
        params.push(value);
        continue;
      }
      const length = batch.blobLengths[blobAt] ?? 0;
      // better-sqlite3 binds a Buffer, and only a Buffer, as a blob.
      params.push(Buffer.from(batch.blobs.buffer, batch.blobs.byteOffset + byteAt, length));
      blobAt += 1;
      byteAt += length;
    }
    visit(sqlId, params, index);
  }
}
