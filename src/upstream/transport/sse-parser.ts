import { ByteBuffer } from '../../lib/byte-buffer.ts';

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const FIELD_BYTES = 16;
const MAX_NAME_BYTES = 64;
const LINE_OVERHEAD_BYTES = 64;
const ID = Buffer.from('id:');
const RETRY = Buffer.from('retry:');
const MAX_ID_BYTES = 1_024;
const EVENTS_PER_TURN = 64;

/**
 * Parses an SSE stream (WHATWG HTML §9.2.6) into the data and the name of each event, and holds at most `maxBytes` of one
 * event. An event with empty data is skipped: MCP 2025-11-25 (Streamable HTTP, "Sending Messages to the Server") begins
 * streams with one, for its id.
 */
export class SseParser {
  readonly #maxBytes: number;
  readonly #onData: (data: Buffer, event: string) => void;
  readonly #line = new ByteBuffer();
  #data: Buffer[] = [];
  #event = 'message';
  #dataBytes = 0;
  #skipLineFeed = false;
  #id: string | undefined;
  #lastEventId: string | undefined;
  #retryMs: number | undefined;
  #hasEvents = false;
  #eventsInTurn = 0;

  constructor(maxBytes: number, onData: (data: Buffer, event: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onData = onData;
  }

  /**
   * Id of the last complete event; empty if an event reset it. An id that is not a valid header value, or is over 1,024
   * bytes, counts as empty.
   */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  /** Reconnection time in milliseconds, from the last `retry` field. */
  get retryMs(): number | undefined {
    return this.#retryMs;
  }

  /** True after the first complete event, even one without data. */
  get hasEvents(): boolean {
    return this.#hasEvents;
  }

  /** Parses the next bytes. Returns false if an event exceeds the limit; the parser cannot be used after that. */
  push(chunk: Buffer): boolean {
    let start = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      const byte = chunk[index];
      if (byte === LF && this.#skipLineFeed) {
        this.#skipLineFeed = false;
        start = index + 1;
        continue;
      }
      this.#skipLineFeed = false;
      if (byte !== LF && byte !== CR) {
        index = endOfLine(chunk, index) - 1;
        continue;
      }
      this.#line.push(chunk.subarray(start, index));
      this.#finishLine();
      this.#skipLineFeed = byte === CR;
      start = index + 1;
    }
    if (start < chunk.length) {
      this.#line.push(chunk.subarray(start));
    }
    return this.#line.size + this.#dataBytes <= this.#maxBytes + FIELD_BYTES;
  }

  /** Pauses the stream for one turn of the event loop after 64 events, so that a flood does not starve other calls. */
  yieldToEventLoop(stream: { pause(): void; resume(): void }): void {
    if (this.#eventsInTurn < EVENTS_PER_TURN) return;
    this.#eventsInTurn = 0;
    stream.pause();
    setImmediate(() => stream.resume());
  }

  #finishLine(): void {
    const line = this.#line.take();
    if (line.length === 0) {
      const data = this.#data.length === 1 ? (this.#data[0] ?? line) : joinLines(this.#data);
      const event = this.#event;
      this.#data = [];
      this.#event = 'message';
      this.#dataBytes = 0;
      this.#lastEventId = this.#id;
      this.#hasEvents = true;
      this.#eventsInTurn += 1;
      if (data.length > 0) this.#onData(data, event);
      return;
    }
    const field = line.subarray(0, 5).toString('latin1');
    if (field === 'event' && line[5] === COLON) this.#event = eventName(line);
    if (field !== 'data:') {
      this.#parseIdOrRetry(line);
      return;
    }
    const data = line.subarray(line[5] === 0x20 ? 6 : 5);
    this.#data.push(data);
    // An empty line costs memory too, so it counts as more than its bytes.
    this.#dataBytes += data.length + (this.#data.length > 1 ? LINE_OVERHEAD_BYTES : 0);
  }

  /** Parses the fields that apply beyond their event. */
  #parseIdOrRetry(line: Buffer): void {
    const isId = line.subarray(0, 3).equals(ID) || line.equals(ID.subarray(0, 2));
    if (isId) {
      const id = line.length > MAX_ID_BYTES ? '' : fieldValue(line, ID.length);
      // The id is sent back in a header.
      this.#id = /^[\x21-\x7e]+(?: +[\x21-\x7e]+)*$/.test(id) ? id : '';
    } else if (line.subarray(0, RETRY.length).equals(RETRY)) {
      const retry = fieldValue(line, RETRY.length);
      if (/^\d{1,9}$/.test(retry)) this.#retryMs = Number(retry);
    }
  }
}

/** Returns the value of a field, without one leading space. */
function fieldValue(line: Buffer, from: number): string {
  return line.subarray(line[from] === 0x20 ? from + 1 : from).toString('latin1');
}

function eventName(line: Buffer): string {
  const from = line[6] === 0x20 ? 7 : 6;
  return line.subarray(from, from + MAX_NAME_BYTES).toString('latin1');
}

function endOfLine(chunk: Buffer, from: number): number {
  const lf = chunk.indexOf(LF, from);
  const end = lf < 0 ? chunk.length : lf;
  const cr = chunk.subarray(from, end).indexOf(CR);
  return cr < 0 ? end : from + cr;
}

function joinLines(lines: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [];
  const newline = Buffer.from([LF]);
  lines.forEach((line, index) => {
    if (index > 0) parts.push(newline);
    parts.push(line);
  });
  return Buffer.concat(parts);
}

/** Reconnection time if the server sends none, and the limits of the one it sends. */
const RETRY_MS = { default: 1_000, least: 100, most: 60_000 } as const;
/** Resumption stops after this many streams in a row without an event. */
const MAX_EMPTY_STREAMS = 5;

/**
 * Resumes the event stream of one request that ended before the response (streamable HTTP 2025-11-25, "Resumability and
 * Redelivery"). The deadline of the request, which the caller enforces, bounds the whole.
 */
export class StreamResumption {
  readonly #open: (lastEventId: string) => void;
  #lastEventId: string | undefined;
  #retryMs: number = RETRY_MS.default;
  #emptyStreams = 0;
  #hasBegun = false;
  #timer: NodeJS.Timeout | undefined;

  /** `open` requests the events after the given id, on a new stream. */
  constructor(open: (lastEventId: string) => void) {
    this.#open = open;
  }

  /** True from the first successful `resume` on. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Opens the next stream after the reconnection time. Returns false if the stream cannot be resumed. */
  resume({ hasEvents, lastEventId, retryMs = this.#retryMs }: SseParser): boolean {
    this.#emptyStreams = hasEvents ? 0 : this.#emptyStreams + 1;
    this.#lastEventId = lastEventId ?? this.#lastEventId;
    this.#retryMs = Math.min(RETRY_MS.most, Math.max(RETRY_MS.least, retryMs));
    const id = this.#lastEventId;
    if (id === undefined || id === '' || this.#emptyStreams >= MAX_EMPTY_STREAMS) return false;
    this.#hasBegun = true;
    this.#timer = setTimeout(() => this.#open(id), this.#retryMs);
    return true;
  }

  /** Cancels a pending resumption. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
