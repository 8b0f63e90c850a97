import { isElicitationId, type UrlElicitationListener } from '../../domain/mcp/input-request.ts';
import type { CancelSignal } from '../../lib/cancellation.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import type { Clock } from '../../lib/time.ts';

/** First and longest wait for a server that may not report completion; each wait is twice as long as the one before. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

/**
 * URL elicitations of one call to a legacy server, by the server's ids. `accept` means only that the user agrees to open
 * the URL (MCP 2025-11-25, client/elicitation, "URL Mode"). The interaction goes on out of band, and the server may report
 * its completion by id.
 */
export class UrlElicitations {
  readonly #states = new Map<string, 'requested' | 'accepted' | 'complete'>();
  readonly #clock: Clock;
  readonly #expiryMs: number;
  readonly #urlCompletion: UrlElicitationListener | undefined;
  #isCallActive = true;
  #endsAtMs = 0;
  #waitMs = FIRST_WAIT_MS;
  /** True if an elicitation completed since the last attempt. */
  #hasCompletion = false;
  #wake: () => void = () => {};

  /** `expiryMs`: time for an elicitation after the user accepted the last one. `urlCompletion` notifies the agent. */
  constructor(
    clock: Clock,
    {
      expiryMs,
      urlCompletion,
    }: { readonly expiryMs: number; readonly urlCompletion?: UrlElicitationListener | undefined },
  ) {
    this.#clock = clock;
    this.#expiryMs = expiryMs;
    this.#urlCompletion = urlCompletion;
  }

  /** Keeps only accepted elicitations, because the call ended and only its agent is still interested. */
  detach(): void {
    this.#isCallActive = false;
    for (const [id, state] of this.#states) if (state !== 'accepted') this.#states.delete(id);
  }

  /** True if an accepted elicitation is open and the agent can be notified. */
  get canNotify(): boolean {
    return this.#urlCompletion !== undefined && [...this.#states.values()].includes('accepted');
  }

  /** Records that the agent got an elicitation. */
  recordRequested(id: JsonValue | undefined): void {
    if (isElicitationId(id) && !this.hasAccepted(id)) this.#states.set(id, 'requested');
  }

  recordAccepted(id: JsonValue | undefined): void {
    this.#endsAtMs = this.#clock.monotonicMs() + this.#expiryMs;
    if (isElicitationId(id) && this.#states.get(id) === 'requested') this.#states.set(id, 'accepted');
  }

  recordDeclined(id: JsonValue | undefined): void {
    if (isElicitationId(id) && !this.hasAccepted(id)) this.#states.delete(id);
  }

  /** True if the user accepted the elicitation with this id. */
  hasAccepted(id: JsonValue | undefined): boolean {
    const state = isElicitationId(id) ? this.#states.get(id) : undefined;
    return state === 'accepted' || state === 'complete';
  }

  /**
   * Completes an elicitation, also before the accept arrived.
   * @returns false if none with that id is open, or the call has ended and the agent cannot be notified.
   */
  complete(id: string): boolean {
    const state = this.#states.get(id);
    if (state === undefined || state === 'complete') return false;
    this.#states.set(id, 'complete');
    this.#hasCompletion = true;
    this.#wake();
    return this.#urlCompletion?.onComplete(id) === true || this.#isCallActive;
  }

  /** Resolves when the call should be sent again, with false if the time for it has passed. */
  async waitForCompletion(signal: CancelSignal): Promise<boolean> {
    const remainingMs = this.#endsAtMs - this.#clock.monotonicMs();
    if (!this.#hasCompletion) {
      if (remainingMs <= 0) return false;
      await this.#wait(Math.min(this.#waitMs, remainingMs), signal);
      this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * 2);
    }
    this.#hasCompletion = false;
    return true;
  }

  #wait(waitMs: number, signal: CancelSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      signal.addEventListener('abort', end, { once: true });
      this.#wake = end;
    });
  }
}

/** Most calls whose elicitations outlive them; the oldest are removed. */
const MAX_DETACHED = 64;

/** URL elicitations of one session whose calls have ended: the server may still report their completion. */
export class DetachedUrlElicitations {
  readonly #detached = new Set<UrlElicitations>();

  /** Adds the open elicitations of a call that ended. */
  add(urls: UrlElicitations): void {
    urls.detach();
    if (!urls.canNotify) return;
    this.#detached.add(urls);
    const [oldest] = this.#detached;
    if (this.#detached.size > MAX_DETACHED && oldest !== undefined) this.#detached.delete(oldest);
  }

  /** Completes an elicitation. @returns false if none with that id is open, or no agent could be notified. */
  complete(id: string): boolean {
    let isNotified = false;
    for (const urls of this.#detached) {
      isNotified = urls.complete(id) || isNotified;
      if (!urls.canNotify) this.#detached.delete(urls);
    }
    return isNotified;
  }

  /** Removes all, because the session ended. */
  clear(): void {
    this.#detached.clear();
  }
}
