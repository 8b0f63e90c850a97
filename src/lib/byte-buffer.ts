const MIN_CAPACITY = 64;
const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Bytes that come in pieces, as one. A piece alone is kept as it came; from the second on all are copied together, since
 * an object for each would let who sends single bytes take hundreds of times the memory of what is sent.
 */
export class ByteBuffer {
  /** What is held, and behind it room for more. */
  #buffer: Buffer = EMPTY;
  #size = 0;
  /** True once `#held` is ours to write into. */
  #isOwn = false;

  /** Bytes that are held. */
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

  /** All that was pushed since the last time, which is held no more. */
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
