import type { DispatchResult } from '../domain/outcome.ts';
import { canonicalJson } from '../lib/canonical-json.ts';
import type { Digest } from '../lib/digest.ts';
import { isJsonObject, type JsonObject } from '../lib/json.ts';
import { notSent } from './failed-call.ts';
import { type LeaseOptions, SessionLeases } from './leases.ts';
import { type Caller, sessionKeyPrefix } from './session-key.ts';
import type { ManagedSession } from './session-slot.ts';

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
    return leaseOptions.signal.aborted ? notSent('cancelled', 'the call was cancelled before it was sent') : busy();
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
