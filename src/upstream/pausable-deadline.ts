import { Cancellation, type CancelSignal } from '../lib/cancellation.ts';
import type { Clock } from '../lib/clock.ts';

/** The deadline of a call whose server may ask: it stands still while a person thinks, for that is not the server's time. */
export class PausableDeadline {
  /** Aborted by the deadline, as a `TimeoutError`, or with the call. */
  readonly signal: CancelSignal;
  readonly #cancellation = new Cancellation();
  readonly #clock: Clock;
  readonly #call: CancelSignal;
  readonly #onAbort = (): void => this.#end(this.#call.reason);
  #wholeMs = 0;
  #leftMs: number | undefined;
  #startedAtMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #holds = 0;

  constructor(call: CancelSignal, clock: Clock) {
    this.#clock = clock;
    this.#call = call;
    this.signal = this.#cancellation.signal;
    if (call.aborted) this.#onAbort();
    else call.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Starts the time, the first time it is called. */
  begin(timeoutMs: number): void {
    if (this.#leftMs !== undefined) return;
    this.#wholeMs = timeoutMs;
    this.#leftMs = timeoutMs;
    if (this.#holds === 0) this.#run();
  }

  hold(): void {
    this.#holds += 1;
    if (this.#holds > 1 || this.#leftMs === undefined) return;
    clearTimeout(this.#timer);
    this.#leftMs -= this.#clock.monotonicMs() - this.#startedAtMs;
  }

  release(): void {
    this.#holds -= 1;
    if (this.#holds === 0 && this.#leftMs !== undefined) this.#run();
  }

  /** Gives the whole time again from the next `release` on, to a server that answered and is asked anew. MUST be held. */
  renew(): void {
    if (this.#leftMs !== undefined) this.#leftMs = this.#wholeMs;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#call.removeEventListener('abort', this.#onAbort);
  }

  #run(): void {
    if (this.signal.aborted) return;
    this.#startedAtMs = this.#clock.monotonicMs();
    this.#timer = setTimeout(() => this.#end(timeout()), Math.max(1, this.#leftMs ?? 0));
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
