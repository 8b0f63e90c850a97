import type { CancelSignal } from '../lib/cancellation.ts';

/** How many calls of one agent to one server may be at work at one time where each needs a session of its own. */
const PLACES = 4;

interface Waiting {
  readonly enter: (place: number) => void;
}

/** Places that serve one call at a time; who comes when all are taken waits its turn. */
export class Leases {
  readonly #taken = new Map<string, Set<number>>();
  readonly #queues = new Map<string, Waiting[]>();

  /** Acts in a place of `key`, the lowest that is free. `busy`: no place became free in time. */
  async use<Result>(
    key: string,
    { signal, timeoutMs }: { readonly signal: CancelSignal; readonly timeoutMs: number },
    act: (place: number) => Promise<Result>,
  ): Promise<Result | 'busy'> {
    const place = this.#takeFree(key) ?? (await this.#turn(key, signal, timeoutMs));
    if (place === undefined) return 'busy';
    try {
      return await act(place);
    } finally {
      this.#leave(key, place);
    }
  }

  #takeFree(key: string): number | undefined {
    const taken = this.#taken.get(key) ?? new Set();
    for (let place = 0; place < PLACES; place += 1) {
      if (taken.has(place)) continue;
      this.#taken.set(key, taken.add(place));
      return place;
    }
    return undefined;
  }

  #turn(key: string, signal: CancelSignal, timeoutMs: number): Promise<number | undefined> {
    return new Promise((resolve) => {
      const queue = this.#queues.get(key) ?? [];
      this.#queues.set(key, queue);
      const leave = (place: number | undefined): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
        resolve(place);
      };
      const waiting: Waiting = { enter: leave };
      const giveUp = (): void => {
        const at = queue.indexOf(waiting);
        if (at >= 0) queue.splice(at, 1);
        leave(undefined);
      };
      const timer = setTimeout(giveUp, timeoutMs);
      if (signal.aborted) giveUp();
      else {
        signal.addEventListener('abort', giveUp, { once: true });
        queue.push(waiting);
      }
    });
  }

  #leave(key: string, place: number): void {
    const queue = this.#queues.get(key);
    const next = queue?.shift();
    if (queue?.length === 0) this.#queues.delete(key);
    if (next) {
      next.enter(place);
      return;
    }
    const taken = this.#taken.get(key);
    taken?.delete(place);
    if (taken?.size === 0) this.#taken.delete(key);
  }
}
