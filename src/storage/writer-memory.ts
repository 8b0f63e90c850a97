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
