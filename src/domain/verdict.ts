import type { JsonValue } from '../lib/json/json.ts';
import type { Reason } from './reasons.ts';

/** Change that a control makes, by JSON Pointer (RFC 6901). */
export interface Amendment {
  readonly path: string;
  readonly value: JsonValue;
  readonly why: string;
}

/** Decision of one control. */
export type Verdict =
  | { readonly effect: 'allow'; readonly rule?: string; readonly amendments?: readonly Amendment[] }
  | Denial
  | { readonly effect: 'hold'; readonly reason: Reason; readonly message: string; readonly ticket: string };

/** Denial as a value: a stable reason, one sentence, and the rule that decided, such as `policy.csv:12`. */
export interface Denial {
  readonly effect: 'deny';
  readonly reason: Reason;
  readonly message: string;
  readonly rule?: string;
  readonly retryAfterMs?: number;
}

/** Makes an allow without amendments. `rule` names the line that allowed. */
export function allow(rule?: string): Verdict {
  return rule === undefined ? { effect: 'allow' } : { effect: 'allow', rule };
}

/** Makes a denial. A control that cannot decide throws instead: only the pipeline makes a verdict `indeterminate`. */
export function deny(reason: Reason, message: string, details: { rule?: string; retryAfterMs?: number } = {}): Denial {
  return { effect: 'deny', reason, message, ...details };
}

/** Names of controls, as ledger entries and refusals have them: request controls, then response controls. */
export type ControlName =
  | 'rate'
  | 'authorize'
  | 'validate-input'
  | 'concurrency'
  | 'budget'
  /** Only for retries of suspended calls. */
  | 'request-state'
  | 'validate-output'
  /** For input requests, instead of `validate-input` and `validate-output`. */
  | 'guard-question'
  | 'validate-answer';
