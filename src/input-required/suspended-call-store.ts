import type { Call, RequestStateCheck } from '../domain/call.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import type { Reason } from '../domain/reasons.ts';
import { AuthenticatedToken } from '../lib/authenticated-token.ts';
import { digestOfJson } from '../lib/digest.ts';
import type { Ids } from '../lib/ids.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json/json.ts';
import type { Clock } from '../lib/time.ts';
import { SuspendedCall } from './suspended-call.ts';

export const suspendedCallsFailureMode: FailureMode<'too-many-questions'> = {
  control: 'waiting calls',
  trigger: 'as many calls wait for answers as may, or a server asks more often than it may',
  result: 'too-many-questions',
  override: null,
};

/** How many calls may wait for answers, and how long. */
export interface SuspendedCallLimits {
  readonly perPrincipal: number;
  readonly total: number;
  readonly expiryMs: number;
}

export const DEFAULT_SUSPENDED_CALL_LIMITS: SuspendedCallLimits = { perPrincipal: 16, total: 1_000, expiryMs: 600_000 };

/** Told of the leg whose call ended while it waited. */
export type OnAbandoned = (roundId: string, reason: Reason, message: string) => void;

/** A call that waits, and its last leg. */
interface WaitingCall {
  /** What its state names. */
  readonly id: string;
  readonly call: SuspendedCall;
  readonly roundId: string;
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
export class SuspendedCallStore {
  readonly #waiting = new Map<string, WaitingCall>();
  readonly #claimed = new Map<string, WaitingCall>();
  readonly #counts = new Map<string, number>();
  readonly #tokens: AuthenticatedToken;
  readonly #ids: Ids;
  readonly #clock: Clock;
  readonly #limits: SuspendedCallLimits;
  #total = 0;
  #onAbandoned: OnAbandoned = () => {};

  constructor(
    ports: { readonly ids: Ids; readonly clock: Clock },
    limits: SuspendedCallLimits = DEFAULT_SUSPENDED_CALL_LIMITS,
  ) {
    this.#ids = ports.ids;
    this.#clock = ports.clock;
    this.#limits = limits;
    this.#tokens = new AuthenticatedToken((length) => ports.ids.randomBytes(length), 'seneschal request state 1');
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
  begin(call: Call): SuspendedCall {
    const { id } = call.principal;
    return new SuspendedCall(call.id, { acquire: () => this.#acquire(id), releaseClaim: () => this.#release(id) });
  }

  /** Lets a call wait. @returns what the agent has to send back: `requestState`. */
  suspend(suspended: SuspendedCall, call: Call): string {
    const id = Buffer.from(this.#ids.randomBytes(ID_BYTES)).toString('base64url');
    const { expiryMs } = this.#limits;
    const expiresAtMs = this.#clock.monotonicMs() + expiryMs;
    this.#park({ id, call: suspended, roundId: call.id, expiresAtMs }, expiryMs);
    return this.#tokens.seal(JSON.stringify({ ...bindingOf(call), id, expiresAtMs }));
  }

  /**
   * Looks at the state of a call that goes on. A valid one is used up by it; `take` then gives what waited, `giveBack`
   * undoes the claim, and `release` ends what nobody took.
   */
  claim(call: Call, state: JsonValue): RequestStateCheck {
    const opened = typeof state === 'string' && state.length <= MAX_STATE_LENGTH ? this.#tokens.open(state) : undefined;
    if (opened === undefined) return { status: 'unreadable' };
    // `as`: only this process can have sealed it, and it seals objects.
    const { id, expiresAtMs, ...binding } = JSON.parse(opened) as JsonObject;
    if (!haveSameBinding(binding, bindingOf(call))) return { status: 'foreign' };
    if (typeof expiresAtMs !== 'number' || expiresAtMs <= this.#clock.monotonicMs()) return { status: 'expired' };
    const waiting = typeof id === 'string' ? this.#waiting.get(id) : undefined;
    if (waiting === undefined || typeof id !== 'string') return { status: 'spent' };
    this.#waiting.delete(id);
    waiting.call.resume();
    this.#claimed.set(call.id, waiting);
    return { status: 'valid', originalCallId: waiting.call.callId, previousRoundId: waiting.roundId };
  }

  /**
   * Lets what a call claimed and did not take wait on, for as long as it had left: its state is good again. False where
   * it claimed nothing, or no time is left.
   */
  unclaim(callId: string): boolean {
    const claimed = this.#claimed.get(callId);
    const remainingMs = claimed === undefined ? 0 : claimed.expiresAtMs - this.#clock.monotonicMs();
    if (claimed === undefined || remainingMs <= 0) return false;
    this.#claimed.delete(callId);
    this.#park(claimed, remainingMs);
    return true;
  }

  /** What a call claimed; given once. */
  take(callId: string): SuspendedCall | undefined {
    const claimed = this.#claimed.get(callId);
    this.#claimed.delete(callId);
    return claimed?.call;
  }

  /** Ends what a call claimed and did not take: it was refused after all, and nobody else can go on with it. */
  releaseClaim(callId: string): void {
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

  #park(waiting: WaitingCall, remainingMs: number): void {
    this.#waiting.set(waiting.id, waiting);
    waiting.call.wait(remainingMs, (message) => {
      this.#waiting.delete(waiting.id);
      this.#abandon(waiting, 'question-unanswered', message);
    });
  }

  #abandon({ call, roundId }: WaitingCall, reason: Reason, message: string): void {
    call.cancel(reason, message);
    this.#onAbandoned(roundId, reason, message);
  }

  #acquire(principalId: string): boolean {
    const count = this.#counts.get(principalId) ?? 0;
    if (count >= this.#limits.perPrincipal || this.#total >= this.#limits.total) return false;
    this.#counts.set(principalId, count + 1);
    this.#total += 1;
    return true;
  }

  #release(principalId: string): void {
    const remaining = (this.#counts.get(principalId) ?? 1) - 1;
    this.#total -= 1;
    if (remaining > 0) this.#counts.set(principalId, remaining);
    else this.#counts.delete(principalId);
  }
}

/**
 * What a state is bound to: the same agent, the same thing as it was declared, under the same name in the same view, the
 * same arguments.
 */
function bindingOf({ principal, action, target, args }: Call): JsonObject {
  const feature = 'exposedName' in target ? target : undefined;
  return {
    ...{ principal: principal.id, action, target: target.id, args: digestOfJson(args) },
    definition: 'definitionDigest' in target ? target.definitionDigest : '',
    ...{ view: feature?.view ?? '', name: feature?.exposedName ?? '' },
  };
}

function haveSameBinding(one: JsonValue, other: JsonObject): boolean {
  return isJsonObject(one) && Object.keys(other).every((key) => one[key] === other[key]);
}
