import { ByteBuffer } from './pieces.ts';

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
