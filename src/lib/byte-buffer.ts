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

const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines without ever holding more than one line of at most `maxBytes`. */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #parts = new ByteBuffer();
  #size = 0;
  #overflowing = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes bytes and returns the lines that they complete, without their newline; `too-long` in the place of each line
   * over the cap, whose bytes are thrown away.
   */
  push(chunk: Buffer): readonly (Buffer | 'too-long')[] {
    const lines: (Buffer | 'too-long')[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#append(chunk.subarray(start, end));
      lines.push(this.#overflowing ? 'too-long' : this.#parts.take());
      this.#reset();
      start = end + 1;
    }
    this.#append(chunk.subarray(start));
    return lines;
  }

  #append(part: Buffer): void {
    this.#size += part.length;
    if (this.#size > this.#maxBytes) {
      this.#overflowing = true;
      this.#parts.take();
    } else if (part.length > 0) {
      this.#parts.push(part);
    }
  }

  #reset(): void {
    this.#size = 0;
    this.#overflowing = false;
  }
}
