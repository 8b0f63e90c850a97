import type { Call, StateClaim } from '../domain/call.ts';
import type { PostureRow } from '../domain/posture.ts';
import type { Reason } from '../domain/reasons.ts';
import type { Clock } from '../lib/clock.ts';
import { digestOfJson } from '../lib/digest.ts';
import type { Ids } from '../lib/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { SealedBox } from '../lib/sealed-box.ts';
import { Suspension } from './suspension.ts';

export const suspensionPosture: PostureRow<'too-many-questions'> = {
  guard: 'waiting calls',
  when: 'as many calls wait for answers as may, or a server asks more often than it may',
  yields: 'too-many-questions',
  opens: null,
};

/** How many calls may wait for answers, and how long. */
export interface SuspensionLimits {
  readonly perPrincipal: number;
  readonly total: number;
  readonly expiryMs: number;
}

export const DEFAULT_SUSPENSION_LIMITS: SuspensionLimits = { perPrincipal: 16, total: 1_000, expiryMs: 600_000 };

/** Told of the leg whose call ended while it waited. */
export type OnAbandoned = (legId: string, reason: Reason, message: string) => void;

/** A call that waits, and its last leg. */
interface Waiting {
  /** What its state names. */
  readonly id: string;
  readonly suspension: Suspension;
  readonly legId: string;
  /** By the monotonic clock. */
  readonly expiresAtMs: number;
}

const MAX_STATE_LENGTH = 4_096;
const ID_BYTES = 16;

/**
 * The calls that wait for answers of stateless agents. What an agent carries of one is sealed and bound to who called
 * what in which view with which arguments; it is good once, for as long as this process runs. A leg that is refused only
 * for now uses nothing up.
 */
export class Suspensions {
  readonly #waiting = new Map<string, Waiting>();
  readonly #claimed = new Map<string, Waiting>();
  readonly #counts = new Map<string, number>();
  readonly #box: SealedBox;
  readonly #ids: Ids;
  readonly #clock: Clock;
  readonly #limits: SuspensionLimits;
  #total = 0;
  #onAbandoned: OnAbandoned = () => {};

  constructor(
    ports: { readonly ids: Ids; readonly clock: Clock },
    limits: SuspensionLimits = DEFAULT_SUSPENSION_LIMITS,
  ) {
    this.#ids = ports.ids;
    this.#clock = ports.clock;
    this.#limits = limits;
    this.#box = new SealedBox((length) => ports.ids.randomBytes(length), 'seneschal request state 1');
  }

  onAbandoned(listener: OnAbandoned): void {
    this.#onAbandoned = listener;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** How long an answer is waited for, in milliseconds. */
  get expiryMs(): number {
    return this.#limits.expiryMs;
  }

  /** What a call of a stateless agent runs in whose server may ask. */
  begin(call: Call): Suspension {
    const { id } = call.principal;
    return new Suspension(call.id, { take: () => this.#take(id), release: () => this.#release(id) });
  }

  /** Lets a call wait. @returns what the agent has to send back: `requestState`. */
  suspend(suspension: Suspension, call: Call): string {
    const id = Buffer.from(this.#ids.randomBytes(ID_BYTES)).toString('base64url');
    const { expiryMs } = this.#limits;
    const expiresAtMs = this.#clock.monotonicMs() + expiryMs;
    this.#wait({ id, suspension, legId: call.id, expiresAtMs }, expiryMs);
    return this.#box.seal(JSON.stringify({ ...bindingOf(call), id, expiresAtMs }));
  }

  /**
   * Looks at the state of a call that goes on. A valid one is used up by it; `take` then gives what waited, `giveBack`
   * undoes the claim, and `release` ends what nobody took.
   */
  claim(call: Call, state: JsonValue): StateClaim {
    const text = typeof state === 'string' && state.length <= MAX_STATE_LENGTH ? this.#box.open(state) : undefined;
    if (text === undefined) return { finding: 'unreadable' };
    // `as`: only this process can have sealed it, and it seals objects.
    const { id, expiresAtMs, ...bound } = JSON.parse(text) as JsonObject;
    if (!sameBinding(bound, bindingOf(call))) return { finding: 'foreign' };
    if (typeof expiresAtMs !== 'number' || expiresAtMs <= this.#clock.monotonicMs()) return { finding: 'expired' };
    const waiting = typeof id === 'string' ? this.#waiting.get(id) : undefined;
    if (waiting === undefined || typeof id !== 'string') return { finding: 'spent' };
    this.#waiting.delete(id);
    waiting.suspension.resume();
    this.#claimed.set(call.id, waiting);
    return { finding: 'valid', continues: waiting.suspension.callId, after: waiting.legId };
  }

  /**
   * Lets what a call claimed and did not take wait on, for as long as it had left: its state is good again. False where
   * it claimed nothing, or no time is left.
   */
  giveBack(callId: string): boolean {
    const claimed = this.#claimed.get(callId);
    const leftMs = claimed === undefined ? 0 : claimed.expiresAtMs - this.#clock.monotonicMs();
    if (claimed === undefined || leftMs <= 0) return false;
    this.#claimed.delete(callId);
    this.#wait(claimed, leftMs);
    return true;
  }

  /** What a call claimed; given once. */
  take(callId: string): Suspension | undefined {
    const claimed = this.#claimed.get(callId);
    this.#claimed.delete(callId);
    return claimed?.suspension;
  }

  /** Ends what a call claimed and did not take: it was refused after all, and nobody else can go on with it. */
  release(callId: string): void {
    const claimed = this.#claimed.get(callId);
    this.#claimed.delete(callId);
    if (claimed !== undefined) this.#abandon(claimed, 'cancelled', 'the call that was to go on was refused');
  }

  /** Ends every call that waits. */
  close(): void {
    const all = [...this.#waiting.values(), ...this.#claimed.values()];
    this.#waiting.clear();
    this.#claimed.clear();
    for (const waiting of all) this.#abandon(waiting, 'shutting-down', 'the broker is stopping');
  }

  #wait(waiting: Waiting, leftMs: number): void {
    this.#waiting.set(waiting.id, waiting);
    waiting.suspension.wait(leftMs, (message) => {
      this.#waiting.delete(waiting.id);
      this.#abandon(waiting, 'question-unanswered', message);
    });
  }

  #abandon({ suspension, legId }: Waiting, reason: Reason, message: string): void {
    suspension.cancel(reason, message);
    this.#onAbandoned(legId, reason, message);
  }

  #take(principalId: string): boolean {
    const own = this.#counts.get(principalId) ?? 0;
    if (own >= this.#limits.perPrincipal || this.#total >= this.#limits.total) return false;
    this.#counts.set(principalId, own + 1);
    this.#total += 1;
    return true;
  }

  #release(principalId: string): void {
    const left = (this.#counts.get(principalId) ?? 1) - 1;
    this.#total -= 1;
    if (left > 0) this.#counts.set(principalId, left);
    else this.#counts.delete(principalId);
  }
}

/**
 * What a state is bound to: the same agent, the same thing as it was declared, under the same name in the same view, the
 * same arguments.
 */
function bindingOf({ principal, action, target, args }: Call): JsonObject {
  const named = 'exposedName' in target ? target : undefined;
  return {
    ...{ principal: principal.id, action, target: target.id, args: digestOfJson(args) },
    definition: 'definitionDigest' in target ? target.definitionDigest : '',
    ...{ view: named?.view ?? '', name: named?.exposedName ?? '' },
  };
}

function sameBinding(one: JsonValue, other: JsonObject): boolean {
  return isJsonObject(one) && Object.keys(other).every((key) => one[key] === other[key]);
}
