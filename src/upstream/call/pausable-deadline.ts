import { Cancellation, type CancelSignal } from '../../lib/cancellation.ts';
import type { Clock } from '../../lib/time.ts';

/** Deadline of a call whose server may request input. It is paused while an input request is open. */
export class PausableDeadline {
  /** Aborted with a `TimeoutError` at the deadline, or with the signal of the call. */
  readonly signal: CancelSignal;
  readonly #cancellation = new Cancellation();
  readonly #clock: Clock;
  readonly #call: CancelSignal;
  readonly #onAbort = (): void => this.#end(this.#call.reason);
  #totalMs = 0;
  #remainingMs: number | undefined;
  #startedAtMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #pauseCount = 0;

  constructor(call: CancelSignal, clock: Clock) {
    this.#clock = clock;
    this.#call = call;
    this.signal = this.#cancellation.signal;
    if (call.aborted) this.#onAbort();
    else call.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Starts the deadline at the first call; later calls do nothing. */
  start(timeoutMs: number): void {
    if (this.#remainingMs !== undefined) return;
    this.#totalMs = timeoutMs;
    this.#remainingMs = timeoutMs;
    if (this.#pauseCount === 0) this.#run();
  }

  pause(): void {
    this.#pauseCount += 1;
    if (this.#pauseCount > 1 || this.#remainingMs === undefined) return;
    clearTimeout(this.#timer);
    this.#remainingMs -= this.#clock.monotonicMs() - this.#startedAtMs;
  }

  resume(): void {
    this.#pauseCount -= 1;
    if (this.#pauseCount === 0 && this.#remainingMs !== undefined) this.#run();
  }

  /** Restores the whole time, for a server that answered and gets the call again. MUST be called while paused. */
  reset(): void {
    if (this.#remainingMs !== undefined) this.#remainingMs = this.#totalMs;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#call.removeEventListener('abort', this.#onAbort);
  }

  #run(): void {
    if (this.signal.aborted) return;
    this.#startedAtMs = this.#clock.monotonicMs();
    this.#timer = setTimeout(() => this.#end(timeout()), Math.max(1, this.#remainingMs ?? 0));
  }

  #end(reason: unknown): void {
    this.clear();
    this.#cancellation.abort(reason);
  }
}

function timeout(): Error {
  const error = new Error('no answer came in time');
  error.name = 'TimeoutError';
  return error;
}
