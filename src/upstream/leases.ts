import type { CancelSignal } from '../lib/cancellation.ts';

/** How many calls of one agent to one server may be at work at one time where each needs a session of its own. */
const MAX_LEASES = 4;

/** How often a call that needs a place looks for one that came to wait meanwhile. */
const PREEMPT_INTERVAL_MS = 1_000;

interface QueuedRequest {
  readonly grant: (lease: number) => void;
}

/** What surrounds a call that needs a place. */
export interface LeaseOptions {
  readonly signal: CancelSignal;
  readonly timeoutMs: number;
  /** Ends the call where it waits for its agent; false where it does not. */
  readonly preempt: () => boolean;
}

/**
 * Places that serve one call at a time. Who comes when all are taken waits its turn, and ends a call that waits for its
 * agent, of several the one that came to its place first: what nobody answers keeps nobody out.
 */
export class SessionLeases {
  readonly #held = new Map<string, Map<number, LeaseOptions>>();
  readonly #queues = new Map<string, QueuedRequest[]>();

  /** Acts in a place of `key`, the lowest that is free. `busy`: no place became free in time. */
  async withLease<Result>(
    key: string,
    options: LeaseOptions,
    action: (lease: number) => Promise<Result>,
  ): Promise<Result | 'busy'> {
    const lease = this.#acquireFree(key, options) ?? (await this.#waitForLease(key, options));
    if (lease === undefined) return 'busy';
    try {
      return await action(lease);
    } finally {
      this.#release(key, lease);
    }
  }

  #acquireFree(key: string, options: LeaseOptions): number | undefined {
    const held = this.#held.get(key);
    for (let lease = 0; lease < MAX_LEASES; lease += 1) {
      if (held?.has(lease)) continue;
      this.#acquire(key, lease, options);
      return lease;
    }
    return undefined;
  }

  #waitForLease(key: string, options: LeaseOptions): Promise<number | undefined> {
    const { signal, timeoutMs } = options;
    return new Promise((resolve) => {
      const queue = this.#queues.get(key) ?? [];
      this.#queues.set(key, queue);
      const settle = (lease: number | undefined): void => {
        clearTimeout(timer);
        clearInterval(preemptTimer);
        signal.removeEventListener('abort', abandon);
        resolve(lease);
      };
      const queued: QueuedRequest = {
        grant: (lease) => {
          this.#acquire(key, lease, options);
          settle(lease);
        },
      };
      const abandon = (): void => {
        const index = queue.indexOf(queued);
        if (index >= 0) queue.splice(index, 1);
        settle(undefined);
      };
      const timer = setTimeout(abandon, timeoutMs);
      const preemptTimer = setInterval(() => this.#preemptOne(key), PREEMPT_INTERVAL_MS);
      if (signal.aborted) abandon();
      else {
        signal.addEventListener('abort', abandon, { once: true });
        queue.push(queued);
        this.#preemptOne(key);
      }
    });
  }

  #acquire(key: string, lease: number, options: LeaseOptions): void {
    const held = this.#held.get(key) ?? new Map<number, LeaseOptions>();
    this.#held.set(key, held);
    // Who came last to a place stands last.
    held.delete(lease);
    held.set(lease, options);
  }

  #preemptOne(key: string): void {
    for (const { preempt } of [...(this.#held.get(key)?.values() ?? [])]) if (preempt()) return;
  }

  #release(key: string, lease: number): void {
    const queue = this.#queues.get(key);
    const next = queue?.shift();
    if (queue?.length === 0) this.#queues.delete(key);
    if (next) {
      next.grant(lease);
      return;
    }
    const held = this.#held.get(key);
    held?.delete(lease);
    if (held?.size === 0) this.#held.delete(key);
  }
}
