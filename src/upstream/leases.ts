import type { CancelSignal } from '../lib/cancellation.ts';

/** How many calls of one agent to one server may be at work at one time where each needs a session of its own. */
const PLACES = 4;

/** How often a call that needs a place looks for one that came to wait meanwhile. */
const LOOK_AGAIN_MS = 1_000;

interface Waiting {
  readonly enter: (place: number) => void;
}

/** What surrounds a call that needs a place. */
export interface LeaseLimits {
  readonly signal: CancelSignal;
  readonly timeoutMs: number;
  /** Ends the call where it waits for its agent; false where it does not. */
  readonly giveWay: () => boolean;
}

/**
 * Places that serve one call at a time. Who comes when all are taken waits its turn, and ends a call that waits for its
 * agent, of several the one that came to its place first: what nobody answers keeps nobody out.
 */
export class Leases {
  readonly #taken = new Map<string, Map<number, LeaseLimits>>();
  readonly #queues = new Map<string, Waiting[]>();

  /** Acts in a place of `key`, the lowest that is free. `busy`: no place became free in time. */
  async use<Result>(
    key: string,
    limits: LeaseLimits,
    act: (place: number) => Promise<Result>,
  ): Promise<Result | 'busy'> {
    const place = this.#takeFree(key, limits) ?? (await this.#turn(key, limits));
    if (place === undefined) return 'busy';
    try {
      return await act(place);
    } finally {
      this.#leave(key, place);
    }
  }

  #takeFree(key: string, limits: LeaseLimits): number | undefined {
    const taken = this.#taken.get(key);
    for (let place = 0; place < PLACES; place += 1) {
      if (taken?.has(place)) continue;
      this.#take(key, place, limits);
      return place;
    }
    return undefined;
  }

  #turn(key: string, limits: LeaseLimits): Promise<number | undefined> {
    const { signal, timeoutMs } = limits;
    return new Promise((resolve) => {
      const queue = this.#queues.get(key) ?? [];
      this.#queues.set(key, queue);
      const leave = (place: number | undefined): void => {
        clearTimeout(timer);
        clearInterval(looking);
        signal.removeEventListener('abort', giveUp);
        resolve(place);
      };
      const waiting: Waiting = {
        enter: (place) => {
          this.#take(key, place, limits);
          leave(place);
        },
      };
      const giveUp = (): void => {
        const at = queue.indexOf(waiting);
        if (at >= 0) queue.splice(at, 1);
        leave(undefined);
      };
      const timer = setTimeout(giveUp, timeoutMs);
      const looking = setInterval(() => this.#makeWay(key), LOOK_AGAIN_MS);
      if (signal.aborted) giveUp();
      else {
        signal.addEventListener('abort', giveUp, { once: true });
        queue.push(waiting);
        this.#makeWay(key);
      }
    });
  }

  #take(key: string, place: number, limits: LeaseLimits): void {
    const taken = this.#taken.get(key) ?? new Map<number, LeaseLimits>();
    this.#taken.set(key, taken);
    // Who came last to a place stands last.
    taken.delete(place);
    taken.set(place, limits);
  }

  #makeWay(key: string): void {
    for (const { giveWay } of [...(this.#taken.get(key)?.values() ?? [])]) if (giveWay()) return;
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
