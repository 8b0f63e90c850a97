import type { Statement, StorageError } from './database.ts';

/** One `write` that waits for its commit. */
export interface Writing {
  readonly statements: readonly Statement[];
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
}

/** What goes into one transaction: states first, then writes in the order in which they were asked for. */
export interface Batch {
  readonly puts: ReadonlyMap<string, Statement>;
  readonly writings: readonly Writing[];
}

/** What is gathered for the next transaction, bounded so that a slow disk is felt as a refusal and not as memory. */
export class WriteQueue {
  readonly #limit: number;
  #writings: Writing[] = [];
  #puts = new Map<string, Statement>();
  #statements = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Statements that wait, those of `put` included. */
  get size(): number {
    return this.#statements + this.#puts.size;
  }

  get isEmpty(): boolean {
    return this.#writings.length === 0 && this.#puts.size === 0;
  }

  /** How many wait for an answer. */
  get writings(): number {
    return this.#writings.length;
  }

  /** True when someone waits for an answer. */
  get hasWritings(): boolean {
    return this.#writings.length > 0;
  }

  /** False, and nothing queued, when there is no room beside `underWay` statements. */
  push(writing: Writing, underWay: number): boolean {
    if (this.size + underWay + writing.statements.length > this.#limit) return false;
    this.#writings.push(writing);
    this.#statements += writing.statements.length;
    return true;
  }

  put(key: string, statement: Statement): void {
    this.#puts.set(key, statement);
  }

  /** Takes everything that waits as one batch. */
  take(): Batch {
    const batch: Batch = { puts: this.#puts, writings: this.#writings };
    this.#puts = new Map();
    this.#writings = [];
    this.#statements = 0;
    return batch;
  }

  /** Gives back the states of a batch that failed, except those that a newer one has replaced. */
  giveBack(puts: ReadonlyMap<string, Statement>): void {
    const newer = this.#puts;
    this.#puts = new Map(puts);
    for (const [key, statement] of newer) this.#puts.set(key, statement);
  }
}

/** All statements of a batch in the order in which they are written. */
export function statementsOf(batch: Batch): readonly Statement[] {
  const statements = [...batch.puts.values()];
  for (const writing of batch.writings) for (const statement of writing.statements) statements.push(statement);
  return statements;
}

/** The batch without the put or write that statement `index` belongs to, and the write, when it was one. */
export function withoutStatement(batch: Batch, index: number): { readonly rest: Batch; readonly guilty?: Writing } {
  if (index < batch.puts.size) {
    const puts = new Map(batch.puts);
    puts.delete([...puts.keys()][index] ?? '');
    return { rest: { puts, writings: batch.writings } };
  }
  let end = batch.puts.size;
  const guilty = batch.writings.find((writing) => {
    end += writing.statements.length;
    return index < end;
  });
  const rest = { puts: batch.puts, writings: batch.writings.filter((writing) => writing !== guilty) };
  return guilty ? { rest, guilty } : { rest };
}
