import type { JsonValue } from '../lib/json/json.ts';
import type { Reason } from './reasons.ts';

/** A change that a control makes, by JSON Pointer (RFC 6901), and why. */
export interface Amendment {
  readonly path: string;
  readonly value: JsonValue;
  readonly why: string;
}

/** What one control says. */
export type Verdict =
  | { readonly effect: 'allow'; readonly rule?: string; readonly amendments?: readonly Amendment[] }
  | Denial
  | { readonly effect: 'hold'; readonly reason: Reason; readonly message: string; readonly ticket: string };

/** A refusal as a value: a stable reason, one sentence, and the rule that decided, as `policy.csv:12`. */
export interface Denial {
  readonly effect: 'deny';
  readonly reason: Reason;
  readonly message: string;
  readonly rule?: string;
  readonly retryAfterMs?: number;
}

/** An allow without amendments; `rule` names the line that allowed. */
export function allow(rule?: string): Verdict {
  return rule === undefined ? { effect: 'allow' } : { effect: 'allow', rule };
}

/** A refusal by a control that works; a control that throws or is late is `indeterminate`, which only the walk may say. */
export function deny(reason: Reason, message: string, details: { rule?: string; retryAfterMs?: number } = {}): Denial {
  return { effect: 'deny', reason, message, ...details };
}

/** The rooms of the request row, then of the result row, by the names that entries and refusals carry. */
export type ControlName =
  | 'rate'
  | 'authorize'
  | 'validate-input'
  | 'concurrency'
  | 'budget'
  /** Only of a call that goes on after a question. */
  | 'request-state'
  | 'validate-output'
  /** Of questions, in the place of `validate-input` and `validate-output`. */
  | 'guard-question'
  | 'validate-answer';
