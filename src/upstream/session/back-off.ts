import type { Clock } from '../../lib/time.ts';

/** The first new starts are at once, then waits double: a server that was restarted is not one that keeps failing. */
const IMMEDIATE_RETRIES = 2;
const FIRST_WAIT_MS = 250;
/** A start of a process costs the machine; a connection that is refused costs next to nothing, and may work any moment. */
const LAST_WAIT_MS = { process: 60_000, connection: 500 } as const;
/** A session that lived this long was healthy: what went before it is forgotten. */
const HEALTHY_SESSION_MS = 30_000;

/** Counts failed starts and early ends in a row, and says when the next start may be. */
export class BackOff {
  readonly #clock: Clock;
  readonly #lastWaitMs: number;
  #failures = 0;
  #notBeforeMs = 0;

  constructor(clock: Clock, kind: keyof typeof LAST_WAIT_MS) {
    this.#clock = clock;
    this.#lastWaitMs = LAST_WAIT_MS[kind];
  }

  /** Milliseconds until the next start may be; 0 when it may be now. */
  get waitMs(): number {
    return Math.max(0, Math.ceil(this.#notBeforeMs - this.#clock.monotonicMs()));
  }

  get failures(): number {
    return this.#failures;
  }

  /** Notes an end that nobody asked for. `livedMs` is 0 for a start that failed. */
  recordFailure(livedMs: number): void {
    if (livedMs >= HEALTHY_SESSION_MS) this.#failures = 0;
    this.#failures += 1;
    const waitMs =
      this.#failures <= IMMEDIATE_RETRIES
        ? 0
        : Math.min(this.#lastWaitMs, FIRST_WAIT_MS * 2 ** Math.min(16, this.#failures - IMMEDIATE_RETRIES - 1));
    this.#notBeforeMs = this.#clock.monotonicMs() + waitMs;
  }
}
