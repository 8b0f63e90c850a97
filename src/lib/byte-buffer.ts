const MIN_CAPACITY = 64;
const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Joins chunks of bytes. A single chunk is kept without a copy; from the second on, chunks are copied into one buffer:
 * an object per chunk would let a peer that sends single bytes take hundreds of times the memory of its data.
 */
export class ByteBuffer {
  /** The bytes held, followed by spare capacity. */
  #buffer: Buffer = EMPTY;
  #size = 0;
  /** True when `#buffer` was allocated here and may be written to. */
  #isOwn = false;

  /** Number of bytes held. */
  get size(): number {
    return this.#size;
  }

  push(chunk: Buffer): void {
    if (this.#size === 0) {
      this.#buffer = chunk;
      this.#size = chunk.length;
      this.#isOwn = false;
      return;
    }
    const size = this.#size + chunk.length;
    if (!this.#isOwn || size > this.#buffer.length) this.#grow(size);
    this.#buffer.set(chunk, this.#size);
    this.#size = size;
  }

  /** Returns all bytes pushed since the last call, and empties the buffer. */
  take(): Buffer {
    const all = this.#buffer.length === this.#size ? this.#buffer : this.#buffer.subarray(0, this.#size);
    this.#buffer = EMPTY;
    this.#size = 0;
    return all;
  }

  #grow(size: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(MIN_CAPACITY, 2 * size));
    grown.set(this.#buffer.subarray(0, this.#size), 0);
    this.#buffer = grown;
    this.#isOwn = true;
  }
}
