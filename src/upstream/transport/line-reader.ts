import { ByteBuffer } from '../../lib/byte-buffer.ts';

const NEWLINE = 0x0a;
const OVERLONG_END_BYTES = 256;
/** How far past the cap a line may run, being thrown away, before the stream is given up. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;

export interface LineReaderEvents {
  onLine(line: Buffer): void;
  /** A line over the cap was thrown away; its first and last bytes are left. */
  onOverlongLine(ends: Buffer): void;
  /** A line that seems not to end: nothing after it can be read. */
  onEndless(): void;
}

/** Cuts a byte stream into lines without ever holding more than `maxBytes` of one. */
export class LineReader {
  readonly #events: LineReaderEvents;
  readonly #maxBytes: number;
  readonly #parts = new ByteBuffer();
  #bytes = 0;
  #ends: Buffer | undefined;

  constructor(maxBytes: number, events: LineReaderEvents) {
    this.#maxBytes = maxBytes;
    this.#events = events;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (;;) {
      const newline = chunk.indexOf(NEWLINE, start);
      if (newline < 0) break;
      this.#append(chunk.subarray(start, newline));
      this.#finishLine();
      start = newline + 1;
    }
    if (start < chunk.length) this.#append(chunk.subarray(start));
  }

  #append(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#ends !== undefined) {
      const head = this.#ends.subarray(0, OVERLONG_END_BYTES);
      const tail = Buffer.concat([this.#ends.subarray(OVERLONG_END_BYTES), part.subarray(-OVERLONG_END_BYTES)]);
      this.#ends = Buffer.concat([head, tail.subarray(-OVERLONG_END_BYTES)]);
      if (this.#bytes > this.#maxBytes + MAX_DISCARDED_BYTES) this.#events.onEndless();
    } else if (this.#bytes > this.#maxBytes) {
      const whole = Buffer.concat([this.#parts.take(), part]);
      this.#ends = Buffer.concat([whole.subarray(0, OVERLONG_END_BYTES), whole.subarray(-OVERLONG_END_BYTES)]);
    } else if (part.length > 0) {
      this.#parts.push(part);
    }
  }

  #finishLine(): void {
    const line = this.#parts.take();
    const ends = this.#ends;
    this.#bytes = 0;
    this.#ends = undefined;
    if (ends !== undefined) {
      this.#events.onOverlongLine(ends);
    } else if (!isBlank(line)) {
      this.#events.onLine(line);
    }
  }
}

function isBlank(line: Buffer): boolean {
  for (const byte of line) if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  return true;
}
