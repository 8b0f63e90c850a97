import type { ErrorCode } from './error-codes.ts';
import type { Reason } from './reasons.ts';

/** Result of a failure: a reason, an error code, an HTTP status, a ledger entry, or a closed connection. */
export type FailureResult =
  | Reason
  | ErrorCode
  | `HTTP ${number}`
  | 'connection closed'
  | 'policy.rejected'
  | 'registry.rejected';

/**
 * Describes one check that fails closed. Declared next to the check, which returns `result`, so the two cannot diverge.
 */
export interface FailureMode<Result extends FailureResult = FailureResult> {
  /** Name that `posture` prints: one or two words, unique. It need not be a `ControlName`. */
  readonly control: string;
  /** Condition that makes it fail, as a clause. */
  readonly trigger: string;
  readonly result: Result;
  /** Consequence in words, if the code alone does not say it. */
  readonly means?: string;
  /** Setting that lets the call through; null if there is none. */
  readonly override: string | null;
}
