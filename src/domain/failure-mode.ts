import type { ErrorCode } from './error-codes.ts';
import type { Reason } from './reasons.ts';

/** What comes of it: a reason of a call, an error code of a start, a status of HTTP, an entry that says so, or no answer. */
export type FailureResult =
  | Reason
  | ErrorCode
  | `HTTP ${number}`
  | 'connection closed'
  | 'policy.rejected'
  | 'registry.rejected';

/**
 * What one guard does where it cannot say yes. Each stands beside the code that decides, which takes what it yields from
 * here where it can, so that nothing else has to be told when that code changes.
 */
export interface FailureMode<Result extends FailureResult = FailureResult> {
  /** One or two words; unique. */
  readonly control: string;
  /** What fails it, as a clause. */
  readonly trigger: string;
  readonly result: Result;
  /** What comes of it in words, where the code alone does not tell. */
  readonly means?: string;
  /** What a person may set so that it lets through; null where nothing does. */
  readonly override: string | null;
}
