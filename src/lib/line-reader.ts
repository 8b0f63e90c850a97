import { ByteBuffer } from './byte-buffer.ts';

const NEWLINE = 0x0a;
const OVERLONG_END_BYTES = 256;
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024;

export interface LineReaderEvents {
  /** A line, without its newline. It may be empty. */
  onLine(line: Buffer): void;
  /** A line over the limit was discarded; `ends` are its first and last 256 bytes. */
  onOverlongLine(ends: Buffer): void;
  /** A line has run 64 MB past the limit. Without this method such a line is discarded, however long it is. */
  onEndless?(): void;
}

/** Cuts a byte stream into lines and holds at most `maxBytes` of one. */
export class LineReader {
  readonly #events: LineReaderEvents;
  readonly #maxBytes: number;
  readonly #parts = new ByteBuffer();
  #bytes = 0;
  /** First and last bytes of a line over the limit. */
  #ends: Buffer | undefined;

  constructor(maxBytes: number, events: LineReaderEvents) {
    this.#maxBytes = maxBytes;
    this.#events = events;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#append(chunk.subarray(start, end));
      this.#finishLine();
      start = end + 1;
    }
    if (start < chunk.length) this.#append(chunk.subarray(start));
  }

  #append(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#ends !== undefined) {
      const head = this.#ends.subarray(0, OVERLONG_END_BYTES);
      const tail = Buffer.concat([this.#ends.subarray(OVERLONG_END_BYTES), part.subarray(-OVERLONG_END_BYTES)]);
      this.#ends = Buffer.concat([head, tail.subarray(-OVERLONG_END_BYTES)]);
      if (this.#bytes > this.#maxBytes + MAX_DISCARDED_BYTES) this.#events.onEndless?.();
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
    if (ends === undefined) this.#events.onLine(line);
    else this.#events.onOverlongLine(ends);
  }
}

/** True for a line of spaces, tabs and carriage returns only. */
export function isBlankLine(line: Buffer): boolean {
  for (const byte of line) if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false;
  return true;
}
