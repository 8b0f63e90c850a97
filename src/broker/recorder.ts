import type { FailureMode } from '../domain/failure-mode.ts';
import type { Refusal } from '../domain/outcome.ts';
import type { DecisionRecord, MalformedRecord, OutcomeRecord } from '../ledger/call-record.ts';

export const ledgerFailureMode: FailureMode<'ledger-unavailable'> = {
  control: 'ledger',
  trigger: 'an admission, a refusal or an outcome cannot be made durable; a call is not sent before its admission is',
  result: 'ledger-unavailable',
  override: null,
};

/**
 * Port to the ledger. Each method MUST NOT resolve before its entry is durable, and MUST reject if it could not be made
 * durable.
 */
export interface Recorder {
  /** Records that a call was admitted, before anything is sent. */
  admitted(decided: DecisionRecord): Promise<void>;
  /** Records a refused call. MAY aggregate refusals that would flood the ledger. */
  refused(decided: DecisionRecord, refusal: Refusal): Promise<void>;
  /** Records the outcome of a call, before the reply. */
  closed(ended: OutcomeRecord): Promise<void>;
  /** Records a message that never became a call. */
  malformed(message: MalformedRecord): Promise<void>;
}
