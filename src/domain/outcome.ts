import type { JsonObject, JsonValue } from '../lib/json/json.ts';
import type { Reason } from './reasons.ts';
import type { ControlName } from './verdict.ts';

/** The body of a JSON-RPC 2.0 error. */
export interface JsonRpcErrorBody {
  readonly code: number;
  readonly message: string;
  readonly data?: JsonValue;
}

/** Why a call was not let through, or why its result was withheld. */
export interface Refusal {
  readonly kind: 'refused';
  /** The control that decided, or `ledger` when the intent could not be made durable. */
  readonly stage: ControlName | 'ledger' | 'walk';
  readonly effect: 'deny' | 'hold' | 'indeterminate';
  readonly reason: Reason;
  /** One sentence for the model: lower case, no secret, nothing the principal may not know. */
  readonly message: string;
  readonly rule?: string;
  readonly retryAfterMs?: number;
  /** False when the principal may not see the target at all: the reply is then that of an unknown tool. */
  readonly visible: boolean;
  /** Only of a leg: the call that it was to go on with waits on, and what that leg took over goes back to the one before. */
  readonly stillPending?: true;
}

/** Refusals of the moment and not of the call: the very same may be let through a little later. */
const RETRYABLE_REASONS: ReadonlySet<Reason> = new Set([
  'rate-exceeded',
  'concurrency-exceeded',
  'budget-exhausted',
  'overloaded',
  'ledger-unavailable',
]);

/**
 * True where trying again is worth it. Not where the agent may not see the target: it is not told when, and what was
 * taken away stays so.
 */
export function isRetryable({ reason, visible }: Refusal): boolean {
  return visible && RETRYABLE_REASONS.has(reason);
}

/** A tool server asks before it goes on: the agent answers by making the call again with the answers and the state. */
export interface InputRequired {
  readonly kind: 'input-required';
  /** Each question under its name, as `{ method, params }`. */
  readonly requests: JsonObject;
  /** What the agent has to send back, sealed. */
  readonly state: string;
}

/** How a call ended. */
export type Outcome =
  | {
      readonly kind: 'completed';
      readonly result: JsonObject;
      readonly resultBytes: number;
      /** The result as JSON, where it was printed already: for the record and for the reply it is the same text. */
      readonly resultText?: string;
    }
  | Refusal
  | InputRequired
  | {
      readonly kind: 'failed';
      readonly reason: Reason;
      readonly message: string;
      /** When trying again is worth it, where that is known. */
      readonly retryAfterMs?: number;
      /** The upstream's own JSON-RPC error, verbatim, where it answered with one. */
      readonly error?: JsonRpcErrorBody;
      /** True when the upstream may have acted although no answer came. */
      readonly inDoubt: boolean;
    };

/** What the back door brings back. */
export type DispatchResult = Exclude<Outcome, Refusal | InputRequired>;

/**
 * True when the upstream acted or may have acted: what a call that ended so has cost stays charged. One function for
 * the budget that charges and the book that records.
 */
export function mayHaveTakenEffect(outcome: Outcome): boolean {
  switch (outcome.kind) {
    case 'completed':
      return true;
    case 'refused':
      return outcome.stage === 'validate-output';
    case 'input-required':
      // The call is not over: what it reserved is carried to the one that goes on, or charged when none does.
      return false;
    case 'failed':
      return outcome.inDoubt || UPSTREAM_RESPONDED.has(outcome.reason);
  }
}

/** Failures that are an answer of the upstream, so that it surely has acted. */
const UPSTREAM_RESPONDED: ReadonlySet<Reason> = new Set(['upstream-error', 'upstream-protocol', 'result-too-large']);
