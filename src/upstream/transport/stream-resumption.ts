import type { SseParser } from './sse-parser.ts';

/** How long to wait where a server does not say, and the bounds of what it may say. */
const RETRY_MS = { default: 1_000, least: 100, most: 60_000 } as const;
/** Streams in a row that ended without an event; one that tells of anything new begins the count anew. */
const MAX_EMPTY_STREAMS = 5;

/**
 * Where one request goes on whose event stream ended before its answer (streamable HTTP 2025-11-25, "Resumability and
 * Redelivery"). What bounds the whole is the deadline of the request, which its holder looks after.
 */
export class StreamResumption {
  readonly #open: (lastEventId: string) => void;
  #lastEventId: string | undefined;
  #retryMs: number = RETRY_MS.default;
  #emptyStreams = 0;
  #hasBegun = false;
  #timer: NodeJS.Timeout | undefined;

  /** `open` asks for what follows an event, on a stream of its own. */
  constructor(open: (lastEventId: string) => void) {
    this.#open = open;
  }

  /** True from the first time on that the request was left to be gone on with. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Opens the next stream after the time that the server asked for. False where there is none to go on with. */
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

  /** Nothing is opened after this. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
