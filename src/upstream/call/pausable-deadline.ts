import { Cancellation, type CancelSignal } from '../../lib/cancellation.ts';
import type { Clock } from '../../lib/time.ts';

/** The deadline of a call whose server may ask: it stands still while a person thinks, for that is not the server's time. */
export class PausableDeadline {
  /** Aborted by the deadline, as a `TimeoutError`, or with the call. */
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

  /** Starts the time, the first time it is called. */
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

  /** Gives the whole time again from the next `release` on, to a server that answered and is asked anew. MUST be held. */
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
