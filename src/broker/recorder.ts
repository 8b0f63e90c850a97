import type { FailureMode } from '../domain/failure-mode.ts';
import type { Refusal } from '../domain/outcome.ts';
import type { DecisionRecord, MalformedRecord, OutcomeRecord } from '../ledger/call-record.ts';

export const ledgerFailureMode: FailureMode<'ledger-unavailable'> = {
  control: 'ledger',
  trigger: 'an intent, a refusal or an outcome cannot be made durable; without its intent nothing is sent',
  result: 'ledger-unavailable',
  override: null,
};

/**
 * The book as the hall writes it. Each act MUST NOT resolve before the entry is durable, and MUST reject when it
 * could not be made durable.
 */
export interface Recorder {
  /** The intent, before anything leaves. */
  admitted(decided: DecisionRecord): Promise<void>;
  /** A call that no room let through. May sum refusals that an attacker could flood the book with. */
  refused(decided: DecisionRecord, refusal: Refusal): Promise<void>;
  /** The outcome, before the reply. */
  closed(ended: OutcomeRecord): Promise<void>;
  /** A message that never became a call. */
  malformed(message: MalformedRecord): Promise<void>;
}
