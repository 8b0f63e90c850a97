import type { DispatchResult } from '../domain/outcome.ts';
import type { CancelSignal } from '../lib/cancellation.ts';
import type { Digest } from '../lib/digest.ts';
import { canonicalJson } from '../lib/json/canonical-json.ts';
import { isJsonObject, type JsonObject } from '../lib/json/json.ts';
import { cancelledBeforeSend, notSent } from './call/dispatch-result.ts';
import type { ManagedSession } from './managed-session.ts';

/** Sessions of one agent that know of its client's capabilities; each may be a process. */
const MAX_CAPABILITY_SESSIONS = 16;

/** The sessions of one server that are told what a client can answer, so that the server may ask in them. */
export class CapabilitySessions {
  readonly #sessions: Map<string, ManagedSession>;
  readonly #leases: SessionLeases | undefined;
  readonly #digests = new Map<string, Digest>();

  /** `leased`: over pipes nothing ties a question to a call but that the call is alone. */
  constructor(sessions: Map<string, ManagedSession>, { isLeased }: { readonly isLeased: boolean }) {
    this.#sessions = sessions;
    this.#leases = isLeased ? new SessionLeases() : undefined;
  }

  /** Acts in a session of `key`: in the one that there is, or where each serves one call at a time in the first free one. */
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

  /** True where the server lists to clients of these capabilities other than before; it may list less to them than to others. */
  hasListChanged(clientCapabilities: JsonObject, digest: Digest): boolean {
    const key = canonicalJson(clientCapabilities);
    const before = this.#digests.get(key);
    this.#digests.set(key, digest);
    return before !== undefined && before !== digest;
  }

  /** Tells the sessions that were told of the roots of this client, and no other. */
  rootsChanged(caller: Caller): void {
    for (const [key, session] of this.#sessions) {
      const { roots } = session.clientCapabilities;
      const wantsListChanged = isJsonObject(roots) && roots.listChanged === true;
      if (wantsListChanged && key.startsWith(sessionKeyPrefix(caller))) session.markRootsChanged();
    }
  }

  /** True where the session is there, or may be made: one that is idle makes room. */
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
  return notSent('upstream-unavailable', 'all sessions of this agent are at work, or wait for answers');
}

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

/** On whose behalf a call is made. */
export interface Caller {
  readonly principalId: string;
  /** The session of a legacy client, or `stateless`. */
  readonly session: string;
}

export const NO_CAPABILITIES: JsonObject = Object.freeze({});

/**
 * Which session of a server serves a caller: one for each principal and set of capabilities that the server is told. A
 * server keeps the roots that it was told of, so that with them each legacy client has one of its own.
 */
export function sessionKey({ principalId, session }: Caller, clientCapabilities: JsonObject): string {
  if (clientCapabilities === NO_CAPABILITIES) return principalId;
  return `${sessionKeyPrefix({ principalId, session: clientCapabilities.roots === undefined ? '' : session })}${canonicalJson(clientCapabilities)}`;
}

/** What the keys begin with of all sessions that were told of a client's roots. */
export function sessionKeyPrefix({ principalId, session }: Caller): string {
  return `${principalId} ${session} `;
}
