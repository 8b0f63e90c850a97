import type { JsonObject, JsonValue } from '../lib/json/json.ts';
import type { Reason } from './reasons.ts';
import type { ControlName } from './verdict.ts';

/** The body of a JSON-RPC 2.0 error. */
export interface JsonRpcErrorBody {
  readonly code: number;
  readonly message: string;
  readonly data?: JsonValue;
}

/** Refusal of a call, or of its result, which is then withheld. */
export interface Refusal {
  readonly kind: 'refused';
  /** Control that decided; `ledger` if the call could not be recorded; `walk` (a recorded value) if no control ran. */
  readonly stage: ControlName | 'ledger' | 'walk';
  readonly effect: 'deny' | 'hold' | 'indeterminate';
  readonly reason: Reason;
  /** One sentence for the model, in lower case, with no secret and nothing that the principal may not know. */
  readonly message: string;
  readonly rule?: string;
  readonly retryAfterMs?: number;
  /** False if the principal may not see the target: the reply is then that of an unknown tool. */
  readonly visible: boolean;
  /** Set if a retry was refused but the suspended call is still pending; its reservations are restored. */
  readonly stillPending?: true;
}

/** Reasons that say nothing about the call itself: the same call may be allowed a little later. */
const RETRYABLE_REASONS: ReadonlySet<Reason> = new Set([
  'rate-exceeded',
  'concurrency-exceeded',
  'budget-exhausted',
  'overloaded',
  'ledger-unavailable',
]);

/** True if the same call may be allowed later. False if the agent may not see the target: it learns no reason. */
export function isRetryable({ reason, visible }: Refusal): boolean {
  return visible && RETRYABLE_REASONS.has(reason);
}

/** Outcome of a round whose server requests input: the agent retries the call with the responses and the state. */
export interface InputRequired {
  readonly kind: 'input-required';
  /** Input requests by name, each as `{ method, params }`. */
  readonly requests: JsonObject;
  /** `requestState` that the agent sends back. */
  readonly state: string;
}

/** End of a call. */
export type Outcome =
  | {
      readonly kind: 'completed';
      readonly result: JsonObject;
      readonly resultBytes: number;
      /** Result as JSON, so that the record and the reply have the same text. Default: not serialized yet. */
      readonly resultText?: string;
    }
  | Refusal
  | InputRequired
  | {
      readonly kind: 'failed';
      readonly reason: Reason;
      readonly message: string;
      /** Milliseconds until a retry is useful. Default: unknown. */
      readonly retryAfterMs?: number;
      /** JSON-RPC error of the server, verbatim. Default: it sent none. */
      readonly error?: JsonRpcErrorBody;
      /** True if the server may have acted although it sent no result. */
      readonly inDoubt: boolean;
    };

/** Outcome of a dispatch. */
export type DispatchResult = Exclude<Outcome, Refusal | InputRequired>;

/** True if the server acted or may have acted, so that the call stays charged. Budgets and the ledger both use it. */
export function mayHaveTakenEffect(outcome: Outcome): boolean {
  switch (outcome.kind) {
    case 'completed':
      return true;
    case 'refused':
      return outcome.stage === 'validate-output';
    case 'input-required':
      // The call has not ended: a retry takes over its reservations, or they are charged if none does.
      return false;
    case 'failed':
      return outcome.inDoubt || UPSTREAM_RESPONDED.has(outcome.reason);
  }
}

/** Failures that are a response of the server, so that it surely acted. */
const UPSTREAM_RESPONDED: ReadonlySet<Reason> = new Set(['upstream-error', 'upstream-protocol', 'result-too-large']);
