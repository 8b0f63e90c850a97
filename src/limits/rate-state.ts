import type { FailureMode } from '../domain/posture.ts';

/** The control throws then, and the walk refuses what a control throws at. */
export const rateStoreFailureMode: FailureMode<'control-failed'> = {
  control: 'rate store',
  trigger: 'there is no room for another counter',
  result: 'control-failed',
  override: null,
};

/** How many counters are kept by default; each is one rule for one subject. */
const DEFAULT_CAPACITY = 65_536;

/** The counters of all rates. Outlives every revision of the rules. Times are microseconds of the monotonic clock. */
export interface RateState {
  /** The theoretical arrival time kept under `key`; undefined when the counter is at rest. */
  tatUs(key: string): number | undefined;
  /**
   * Makes sure that the counters fit, by forgetting counters that are back at rest at `nowUs` and no others.
   * @throws Error when all are live: forgetting one would give its calls away a second time.
   */
  evictExpired(counters: readonly { readonly key: string }[], nowUs: number): void;
  set(key: string, tatUs: number): void;
  readonly size: number;
}

/** Counters in memory, at most `capacity` of them. */
export function createRateState(options: { readonly capacity?: number } = {}): RateState {
  const capacity = options.capacity ?? DEFAULT_CAPACITY;
  const tats = new Map<string, number>();
  // A full sweep that frees nothing is not repeated before the first counter can have come to rest.
  let nextExpiryUs = Number.NEGATIVE_INFINITY;

  function sweep(nowUs: number): void {
    if (nowUs < nextExpiryUs) return;
    let earliest = Number.POSITIVE_INFINITY;
    for (const [key, tatUs] of tats) {
      if (tatUs <= nowUs) tats.delete(key);
      else if (tatUs < earliest) earliest = tatUs;
    }
    nextExpiryUs = earliest;
  }

  function missing(counters: readonly { readonly key: string }[]): number {
    let count = 0;
    for (const { key } of counters) if (!tats.has(key)) count += 1;
    return count;
  }

  return {
    tatUs: (key) => tats.get(key),
    evictExpired(counters, nowUs) {
      if (tats.size + missing(counters) <= capacity) return;
      sweep(nowUs);
      // Counted again: the sweep may have forgotten resting counters of this very call.
      if (tats.size + missing(counters) > capacity) throw new Error(`all ${capacity} rate counters are in use`);
    },
    set(key, tatUs) {
      // A counter added after the sweep may come to rest before every counter that the sweep saw.
      if (tatUs < nextExpiryUs) nextExpiryUs = tatUs;
      tats.set(key, tatUs);
    },
    get size() {
      return tats.size;
    },
  };
}
