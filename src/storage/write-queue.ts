import type { Statement, StorageError } from './database.ts';

/** One `write` that waits for its commit. */
export interface PendingWrite {
  readonly statements: readonly Statement[];
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
}

/** Contents of one transaction: states first, then writes in the order in which they were requested. */
export interface Batch {
  readonly puts: ReadonlyMap<string, Statement>;
  readonly writes: readonly PendingWrite[];
}

/** Collects the next transaction. Bounded: with a slow disk, writes are refused instead of filling the memory. */
export class WriteQueue {
  readonly #limit: number;
  #writes: PendingWrite[] = [];
  #puts = new Map<string, Statement>();
  #statements = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Number of waiting statements, including those of `put`. */
  get size(): number {
    return this.#statements + this.#puts.size;
  }

  get isEmpty(): boolean {
    return this.#writes.length === 0 && this.#puts.size === 0;
  }

  /** Number of waiting writes. */
  get writes(): number {
    return this.#writes.length;
  }

  /** True if at least one write waits. */
  get hasWrites(): boolean {
    return this.#writes.length > 0;
  }

  /** Queues a write. Returns false and queues nothing if there is no room beside `inFlight` statements. */
  push(write: PendingWrite, inFlight: number): boolean {
    if (this.size + inFlight + write.statements.length > this.#limit) return false;
    this.#writes.push(write);
    this.#statements += write.statements.length;
    return true;
  }

  put(key: string, statement: Statement): void {
    this.#puts.set(key, statement);
  }

  /** Removes everything that waits and returns it as one batch. */
  take(): Batch {
    const batch: Batch = { puts: this.#puts, writes: this.#writes };
    this.#puts = new Map();
    this.#writes = [];
    this.#statements = 0;
    return batch;
  }

  /** Puts the states of a failed batch back, except those that a newer state has replaced. */
  requeue(puts: ReadonlyMap<string, Statement>): void {
    const newer = this.#puts;
    this.#puts = new Map(puts);
    for (const [key, statement] of newer) this.#puts.set(key, statement);
  }
}

/** All statements of a batch, in the order in which they are written. */
export function statementsOf(batch: Batch): readonly Statement[] {
  const statements = [...batch.puts.values()];
  for (const write of batch.writes) for (const statement of write.statements) statements.push(statement);
  return statements;
}

/** The batch without the put or write that statement `index` belongs to, and that write unless it was a put. */
export function withoutStatement(
  batch: Batch,
  index: number,
): { readonly rest: Batch; readonly failed?: PendingWrite } {
  if (index < batch.puts.size) {
    const puts = new Map(batch.puts);
    puts.delete([...puts.keys()][index] ?? '');
    return { rest: { puts, writes: batch.writes } };
  }
  let end = batch.puts.size;
  const failed = batch.writes.find((write) => {
    end += write.statements.length;
    return index < end;
  });
  const rest = { puts: batch.puts, writes: batch.writes.filter((write) => write !== failed) };
  return failed ? { rest, failed } : { rest };
}
