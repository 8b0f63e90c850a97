import type { Call, RequestStateCheck } from '../domain/call.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import type { ClientContext } from '../domain/mcp/client-context.ts';
import type { Ids } from '../lib/ids.ts';
import type { JsonValue } from '../lib/json/json.ts';
import type { Clock } from '../lib/time.ts';
import { RequestStateCodec } from './request-state-codec.ts';
import { type EndCause, SuspendedCall } from './suspended-call.ts';

export const suspendedCallsFailureMode: FailureMode<'too-many-questions'> = {
  control: 'waiting calls',
  trigger: 'too many calls are waiting for input, or a server requests input too often',
  result: 'too-many-questions',
  override: null,
};

/** Limits of suspended calls. `expiryMs` is the time that one round may wait for the agent. */
export interface SuspendedCallLimits {
  readonly perPrincipal: number;
  readonly total: number;
  readonly expiryMs: number;
}

export const DEFAULT_SUSPENDED_CALL_LIMITS: SuspendedCallLimits = { perPrincipal: 16, total: 1_000, expiryMs: 600_000 };

/** Result of claiming what a `requestState` names; `suspended` only if the state is valid. */
export interface Claim<Round> {
  readonly check: RequestStateCheck;
  readonly suspended?: SuspendedCall<Round>;
}

const TICKET_BYTES = 16;
const STOPPED: EndCause = { reason: 'shutting-down', message: 'the broker is stopping' };

/**
 * Finds suspended calls by their `requestState`, and counts them. It keeps no state of a call: that is in the
 * `SuspendedCall`. Everything is lost with the process.
 */
export class SuspendedCallStore<Round> {
  /** Calls in `waiting` and `claimed`, by ticket id. */
  readonly #calls = new Map<string, SuspendedCall<Round>>();
  readonly #countByPrincipal = new Map<string, number>();
  readonly #codec: RequestStateCodec;
  readonly #ids: Ids;
  readonly #clock: Clock;
  readonly #limits: SuspendedCallLimits;
  readonly #onEnded: (round: Round, cause: EndCause) => void;
  #total = 0;
  #isClosed = false;

  constructor(
    ports: { readonly ids: Ids; readonly clock: Clock },
    limits: SuspendedCallLimits,
    onEnded: (round: Round, cause: EndCause) => void,
  ) {
    this.#ids = ports.ids;
    this.#clock = ports.clock;
    this.#limits = limits;
    this.#onEnded = onEnded;
    this.#codec = new RequestStateCodec((length) => ports.ids.randomBytes(length));
  }

  /** Milliseconds that one round may wait for the agent. */
  get expiryMs(): number {
    return this.#limits.expiryMs;
  }

  /** Creates the owner of a call that a stateless agent makes of a server that may request input. */
  begin(call: Call, clientContext: ClientContext): SuspendedCall<Round> {
    const { id } = call.principal;
    const suspended: SuspendedCall<Round> = new SuspendedCall(call.id, clientContext, {
      acquire: () => this.#acquire(id),
      release: () => this.#release(id),
      onResumed: () => this.#forget(suspended),
      onEnded: (round, cause) => {
        this.#forget(suspended);
        this.#onEnded(round, cause);
      },
    });
    return suspended;
  }

  /** Makes the `requestState` of a round that ended with input requests. It is valid once `wait` was called. */
  issueState(suspended: SuspendedCall<Round>, call: Call): string {
    const id = Buffer.from(this.#ids.randomBytes(TICKET_BYTES)).toString('base64url');
    const ticket = { id, roundId: call.id, expiresAtMs: this.#clock.monotonicMs() + this.#limits.expiryMs };
    suspended.ticket = ticket;
    return this.#codec.encode(call, ticket);
  }

  /** Lets a call wait for the retry of its agent. `round` MUST be closed in the ledger. */
  wait(suspended: SuspendedCall<Round>, round: Round): void {
    if (suspended.ticket !== undefined) this.#calls.set(suspended.ticket.id, suspended);
    suspended.wait(round, this.#clock.monotonicMs());
    if (this.#isClosed) suspended.stop(STOPPED);
  }

  /** Claims what a `requestState` names for a retry. Each state can be claimed once, unless the claim is undone. */
  claim(call: Call, state: JsonValue): Claim<Round> {
    const decoded = this.#codec.decode(call, state, this.#clock.monotonicMs());
    if (decoded.status !== 'valid') return { check: decoded };
    const suspended = this.#calls.get(decoded.id);
    const ticket = suspended?.ticket;
    if (suspended === undefined || ticket === undefined || !suspended.claim()) return { check: { status: 'spent' } };
    const check = { status: 'valid', originalCallId: suspended.callId, previousRoundId: ticket.roundId } as const;
    return { check, suspended };
  }

  /** Ends every call that waits, now and later. */
  close(): void {
    this.#isClosed = true;
    for (const suspended of [...this.#calls.values()]) suspended.stop(STOPPED);
  }

  #forget({ ticket }: SuspendedCall<Round>): void {
    if (ticket !== undefined) this.#calls.delete(ticket.id);
  }

  #acquire(principalId: string): boolean {
    const count = this.#countByPrincipal.get(principalId) ?? 0;
    if (count >= this.#limits.perPrincipal || this.#total >= this.#limits.total) return false;
    this.#countByPrincipal.set(principalId, count + 1);
    this.#total += 1;
    return true;
  }

  #release(principalId: string): void {
    const remaining = (this.#countByPrincipal.get(principalId) ?? 1) - 1;
    this.#total -= 1;
    if (remaining > 0) this.#countByPrincipal.set(principalId, remaining);
    else this.#countByPrincipal.delete(principalId);
  }
}
