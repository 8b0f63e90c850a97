import type { DispatchResult } from '../domain/outcome.ts';
import { canonicalJson } from '../lib/canonical-json.ts';
import type { Digest } from '../lib/digest.ts';
import { isJsonObject, type JsonObject } from '../lib/json.ts';
import { notSent } from './failed-call.ts';
import { type LeaseLimits, Leases } from './leases.ts';
import { type Caller, prefixOf } from './session-key.ts';
import type { SessionSlot } from './session-slot.ts';

/** Sessions of one agent that know of its client's capabilities; each may be a process. */
const MAX_TOLD_SESSIONS = 16;

/** The sessions of one server that are told what a client can answer, so that the server may ask in them. */
export class ToldSessions {
  readonly #slots: Map<string, SessionSlot>;
  readonly #leases: Leases | undefined;
  readonly #digests = new Map<string, Digest>();

  /** `leased`: over pipes nothing ties a question to a call but that the call is alone. */
  constructor(slots: Map<string, SessionSlot>, { leased }: { readonly leased: boolean }) {
    this.#slots = slots;
    this.#leases = leased ? new Leases() : undefined;
  }

  /** Acts in a session of `key`: in the one that there is, or where each serves one call at a time in the first free one. */
  async use(
    { principalId, key }: { readonly principalId: string; readonly key: string },
    limits: LeaseLimits,
    act: (place: string) => Promise<DispatchResult>,
  ): Promise<DispatchResult> {
    const actAt = (place: string): Promise<DispatchResult> =>
      this.#hasRoom(principalId, place) ? act(place) : Promise.resolve(busy());
    if (this.#leases === undefined) return actAt(key);
    const came = await this.#leases.use(key, limits, (place) => actAt(`${key} ${place}`));
    if (came !== 'busy') return came;
    return limits.signal.aborted ? notSent('cancelled', 'the call was cancelled before it was sent') : busy();
  }

  /** True where the server lists to clients of these capabilities other than before; it may list less to them than to others. */
  listsOtherwise(told: JsonObject, digest: Digest): boolean {
    const key = canonicalJson(told);
    const before = this.#digests.get(key);
    this.#digests.set(key, digest);
    return before !== undefined && before !== digest;
  }

  /** Tells the sessions that were told of the roots of this client, and no other. */
  rootsChanged(caller: Caller): void {
    for (const [key, slot] of this.#slots) {
      const { roots } = slot.told;
      const isTold = isJsonObject(roots) && roots.listChanged === true;
      if (isTold && key.startsWith(prefixOf(caller))) slot.noteRootsNews();
    }
  }

  /** True where the session is there, or may be made: one that is idle makes room. */
  #hasRoom(principalId: string, place: string): boolean {
    if (this.#slots.has(place)) return true;
    const own = [...this.#slots].filter(([key]) => key.startsWith(`${principalId} `));
    if (own.length < MAX_TOLD_SESSIONS) return true;
    const idle = own.find(([, slot]) => slot.activeCalls === 0);
    if (idle === undefined) return false;
    this.#slots.delete(idle[0]);
    void idle[1].close();
    return true;
  }
}

function busy(): DispatchResult {
  return notSent('upstream-unavailable', 'all sessions of this agent are at work, or wait for answers');
}
