import type { DispatchResult } from '../domain/outcome.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import type { Digest } from '../lib/digest.ts';
import { canonicalJson } from '../lib/json/canonical-json.ts';
import { isJsonObject, type JsonObject } from '../lib/json/json.ts';
import { cancelledBeforeSend, notSent } from './call/dispatch-result.ts';
import type { ManagedSession } from './managed-session.ts';

/** Most sessions of one agent that declare capabilities of its client. Each may be a process. */
const MAX_CAPABILITY_SESSIONS = 16;

/** Sessions of one server that declare client capabilities, so that the server may request input in them. */
export class CapabilitySessions {
  readonly #sessions: Map<string, ManagedSession>;
  readonly #leases: SessionLeases | undefined;
  readonly #digests = new Map<string, Digest>();

  /** `isLeased`: over stdio nothing ties an input request to a call, so that a session serves one call at a time. */
  constructor(sessions: Map<string, ManagedSession>, { isLeased }: { readonly isLeased: boolean }) {
    this.#sessions = sessions;
    this.#leases = isLeased ? new SessionLeases() : undefined;
  }

  /** Runs `action` with the key of a session: the only one of `key`, or the first free one if sessions are leased. */
  async runInSession(
    { principalId, key }: { readonly principalId: string; readonly key: string },
    leaseOptions: LeaseOptions,
    action: (leaseKey: string) => Promise<DispatchResult>,
  ): Promise<DispatchResult> {
    const runIn = (leaseKey: string): Promise<DispatchResult> =>
      this.#makeRoom(principalId, leaseKey) ? action(leaseKey) : Promise.resolve(busy());
    if (this.#leases === undefined) return runIn(key);
    const result = await this.#leases.withLease(key, leaseOptions, (leaseKey) => runIn(`${key} ${leaseKey}`));
    if (result !== 'busy') return result;
    return leaseOptions.signal.aborted ? cancelledBeforeSend(leaseOptions.signal) : busy();
  }

  /** True if the listing for clients with these capabilities has changed. It may be shorter than the one for other clients. */
  hasListChanged(clientCapabilities: JsonObject, digest: Digest): boolean {
    const key = canonicalJson(clientCapabilities);
    const before = this.#digests.get(key);
    this.#digests.set(key, digest);
    return before !== undefined && before !== digest;
  }

  /** Marks the sessions that received the roots of this client. */
  rootsChanged(caller: Caller): void {
    for (const [key, session] of this.#sessions) {
      const { roots } = session.clientCapabilities;
      const wantsListChanged = isJsonObject(roots) && roots.listChanged === true;
      if (wantsListChanged && key.startsWith(sessionKeyPrefix(caller))) session.markRootsChanged();
    }
  }

  /** True if the session exists or can be created. An idle session is closed to make room. */
  #makeRoom(principalId: string, leaseKey: string): boolean {
    if (this.#sessions.has(leaseKey)) return true;
    const own = [...this.#sessions].filter(([key]) => key.startsWith(`${principalId} `));
    if (own.length < MAX_CAPABILITY_SESSIONS) return true;
    const idle = own.find(([, session]) => session.activeCalls === 0);
    if (idle === undefined) return false;
    this.#sessions.delete(idle[0]);
    void idle[1].close();
    return true;
  }
}

function busy(): DispatchResult {
  return notSent('upstream-unavailable', 'all sessions of this agent are busy or are waiting for input');
}

/** Most calls of one agent to one server at a time, if each needs a session of its own. */
const MAX_LEASES = 4;

/** Interval at which a queued call looks for a call that has begun to wait and can be preempted. */
const PREEMPT_INTERVAL_MS = 1_000;

interface QueuedRequest {
  readonly grant: (lease: number) => void;
}

/** Options of a call that needs a session of its own. */
export interface LeaseOptions {
  readonly signal: CancelSignal;
  readonly timeoutMs: number;
  /** Ends the call if it is waiting for its agent. @returns false if it is not waiting. */
  readonly preempt: () => boolean;
}

/**
 * Leases of sessions that serve one call at a time. A call that finds none queues, and preempts a suspended call, the
 * oldest one first, so that an unanswered input request never blocks new calls.
 */
export class SessionLeases {
  readonly #held = new Map<string, Map<number, LeaseOptions>>();
  readonly #queues = new Map<string, QueuedRequest[]>();

  /** Runs `action` with the lowest free lease of `key`. @returns `busy` if none became free in time, or the call was cancelled. */
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
    // The insertion order of the map is the order of leasing.
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

/** Caller of one session: the principal, and its own session. */
export interface Caller {
  readonly principalId: string;
  /** Session of a legacy client, or `stateless`. */
  readonly session: string;
}

export const NO_CAPABILITIES: JsonObject = Object.freeze({});

/**
 * Returns the key of the session that serves a caller: one per principal and set of declared capabilities. A server keeps
 * the roots it received, so with `roots` each legacy client has a session of its own.
 */
export function sessionKey({ principalId, session }: Caller, clientCapabilities: JsonObject): string {
  if (clientCapabilities === NO_CAPABILITIES) return principalId;
  return `${sessionKeyPrefix({ principalId, session: clientCapabilities.roots === undefined ? '' : session })}${canonicalJson(clientCapabilities)}`;
}

/** Returns the prefix of the keys of all sessions that received the roots of a client. */
export function sessionKeyPrefix({ principalId, session }: Caller): string {
  return `${principalId} ${session} `;
}
