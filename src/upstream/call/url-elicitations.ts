import { isElicitationId, type UrlElicitationListener } from '../../domain/mcp/input-request.ts';
import type { CancelSignal } from '../../lib/cancellation.ts';
import type { JsonValue } from '../../lib/json/json.ts';
import type { Clock } from '../../lib/time.ts';

/** Waits for servers that never say when an interaction is over, each twice as long as the one before. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

/**
 * The URLs that a legacy server wanted opened for one call, by the ids that it gave them. An agent's accept says only that
 * its user agrees to open one (MCP 2025-11-25, client/elicitation, "URL Mode"); the interaction goes on out of band, and
 * the server may say by its id that it is over.
 */
export class UrlElicitations {
  readonly #states = new Map<string, 'asked' | 'accepted' | 'complete'>();
  readonly #clock: Clock;
  readonly #expiryMs: number;
  readonly #urlCompletion: UrlElicitationListener | undefined;
  #isCallActive = true;
  #endsAtMs = 0;
  #waitMs = FIRST_WAIT_MS;
  /** True where an interaction ended since the call was sent last. */
  #hasCompletion = false;
  #wake: () => void = () => {};

  /** `expiryMs`: how long an interaction may go on after the user agreed to the last one. `shown` tells the agent. */
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

  /** The call ended: from now on its agent alone may want to know what becomes of what it agreed to. */
  detach(): void {
    this.#isCallActive = false;
    for (const [id, state] of this.#states) if (state !== 'accepted') this.#states.delete(id);
  }

  /** True where an interaction goes on of which the agent may still be told. */
  get canNotify(): boolean {
    return this.#urlCompletion !== undefined && [...this.#states.values()].includes('accepted');
  }

  /** Notes that the agent is asked to open the URL of that id. */
  recordRequested(id: JsonValue | undefined): void {
    if (isElicitationId(id) && !this.hasAccepted(id)) this.#states.set(id, 'asked');
  }

  recordAccepted(id: JsonValue | undefined): void {
    this.#endsAtMs = this.#clock.monotonicMs() + this.#expiryMs;
    if (isElicitationId(id) && this.#states.get(id) === 'asked') this.#states.set(id, 'accepted');
  }

  recordDeclined(id: JsonValue | undefined): void {
    if (isElicitationId(id) && !this.hasAccepted(id)) this.#states.delete(id);
  }

  /** True where the user agreed to that one before. */
  hasAccepted(id: JsonValue | undefined): boolean {
    const state = isElicitationId(id) ? this.#states.get(id) : undefined;
    return state === 'accepted' || state === 'complete';
  }

  /**
   * The server says that an interaction is over, even before the agent's accept came.
   * @returns false where none of that id goes on, or the call is over and the agent cannot be told.
   */
  complete(id: string): boolean {
    const state = this.#states.get(id);
    if (state === undefined || state === 'complete') return false;
    this.#states.set(id, 'complete');
    this.#hasCompletion = true;
    this.#wake();
    return this.#urlCompletion?.onComplete(id) === true || this.#isCallActive;
  }

  /** Resolves when it is worth while to send the call again, with false where the time for that is over. */
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

/** Calls whose interactions may outlive them; of more the oldest are forgotten. */
const MAX_DETACHED = 64;

/** The interactions of one session that go on after their calls: a server may say later that they are over. */
export class DetachedUrlElicitations {
  readonly #detached = new Set<UrlElicitations>();

  /** Keeps what of a call that ended is still worth telling its agent. */
  add(urls: UrlElicitations): void {
    urls.detach();
    if (!urls.canNotify) return;
    this.#detached.add(urls);
    const [oldest] = this.#detached;
    if (this.#detached.size > MAX_DETACHED && oldest !== undefined) this.#detached.delete(oldest);
  }

  /** @returns false where none of that id is kept, or nobody could be told. */
  complete(id: string): boolean {
    let isNotified = false;
    for (const urls of this.#detached) {
      isNotified = urls.complete(id) || isNotified;
      if (!urls.canNotify) this.#detached.delete(urls);
    }
    return isNotified;
  }

  /** The session is over, and with it what it began. */
  clear(): void {
    this.#detached.clear();
  }
}
