const LEAST_BYTES = 64;
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Bytes that come in pieces, as one. A piece alone is kept as it came; from the second on all are copied together, since
 * an object for each would let who sends single bytes take hundreds of times the memory of what is sent.
 */
export class Pieces {
  /** What is held, and behind it room for more. */
  #held: Buffer = NOTHING;
  #size = 0;
  /** True once `#held` is ours to write into. */
  #isOwn = false;

  /** Bytes that are held. */
  get size(): number {
    return this.#size;
  }

  push(piece: Buffer): void {
    if (this.#size === 0) {
      this.#held = piece;
      this.#size = piece.length;
      this.#isOwn = false;
      return;
    }
    const size = this.#size + piece.length;
    if (!this.#isOwn || size > this.#held.length) this.#grow(size);
    this.#held.set(piece, this.#size);
    this.#size = size;
  }

  /** All that was pushed since the last time, which is held no more. */
  take(): Buffer {
    const all = this.#held.length === this.#size ? this.#held : this.#held.subarray(0, this.#size);
    this.#held = NOTHING;
    this.#size = 0;
    return all;
  }

  #grow(size: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(LEAST_BYTES, 2 * size));
    grown.set(this.#held.subarray(0, this.#size), 0);
    this.#held = grown;
    this.#isOwn = true;
  }
}
