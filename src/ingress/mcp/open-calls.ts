import type { Cancellation } from '../../lib/cancellation.ts';
/** The calls of one door that are under way, so that stopping can wait for them and then cancel them. */
export class InFlightCalls {
  readonly #controllers = new Set<Cancellation>();
  #emptyWaiters: (() => void)[] = [];

  get size(): number {
    return this.#controllers.size;
  }

  add(controller: Cancellation): void {
    this.#controllers.add(controller);
  }

  delete(controller: Cancellation): void {
    this.#controllers.delete(controller);
    if (this.#controllers.size > 0 || this.#emptyWaiters.length === 0) return;
    for (const resolve of this.#emptyWaiters) resolve();
    this.#emptyWaiters = [];
  }

  /** Cancels every call that is under way. */
  abort(): void {
    for (const controller of this.#controllers) controller.abort();
  }

  /** Resolves when no call is under way, at once where that is so. */
  whenEmpty(): Promise<void> {
    if (this.#controllers.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#emptyWaiters.push(resolve));
  }
}
