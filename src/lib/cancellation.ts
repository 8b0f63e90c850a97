/**
 * The part of `AbortSignal` that the broker uses. Every `AbortSignal` is one; a `Cancellation` makes one at a tenth of
 * the cost, which matters because each call needs its own.
 */
export interface CancelSignal {
  readonly aborted: boolean;
  /** The reason passed to `abort`. */
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The controller of a signal, as `AbortController` is of `AbortSignal`. */
export class Cancellation {
  readonly signal: CancelSignal;
  readonly #signal: SingleSignal;

  constructor() {
    this.#signal = new SingleSignal();
    this.signal = this.#signal;
  }

  /** Cancels; a second call does nothing. A listener that throws is a defect: the listeners after it do not run. */
  abort(reason?: unknown): void {
    this.#signal.fire(reason);
  }
}

/** A signal that aborts when the first of two does. Its listeners stay on both signals for as long as they live. */
export function anySignal(one: CancelSignal, other: CancelSignal | undefined): CancelSignal {
  if (other === undefined) return one;
  const either = new Cancellation();
  for (const signal of [one, other]) {
    if (signal.aborted) either.abort(signal.reason);
    else signal.addEventListener('abort', () => either.abort(signal.reason), { once: true });
  }
  return either.signal;
}

class SingleSignal implements CancelSignal {
  aborted = false;
  reason: unknown = undefined;
  #listeners: (() => void)[] = [];

  /** Calls every listener once, whatever `once` says: there is only one event. */
  addEventListener(_type: 'abort', listener: () => void): void {
    if (!this.aborted && !this.#listeners.includes(listener)) this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const index = this.#listeners.indexOf(listener);
    if (index >= 0) this.#listeners.splice(index, 1);
  }

  fire(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}
