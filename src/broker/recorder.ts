import type { Refusal } from '../domain/outcome.ts';
import type { PostureRow } from '../domain/posture.ts';
import type { DecidedAct, EndedAct, MalformedAct } from '../ledger/call-record.ts';

export const ledgerPosture: PostureRow<'ledger-unavailable'> = {
  guard: 'ledger',
  when: 'an intent, a refusal or an outcome cannot be made durable; without its intent nothing is sent',
  yields: 'ledger-unavailable',
  opens: null,
};

/**
 * The book as the hall writes it. Each act MUST NOT resolve before the entry is durable, and MUST reject when it
 * could not be made durable.
 */
export interface Recorder {
  /** The intent, before anything leaves. */
  admitted(decided: DecidedAct): Promise<void>;
  /** A call that no room let through. May sum refusals that an attacker could flood the book with. */
  refused(decided: DecidedAct, refusal: Refusal): Promise<void>;
  /** The outcome, before the reply. */
  closed(ended: EndedAct): Promise<void>;
  /** A message that never became a call. */
  malformed(message: MalformedAct): Promise<void>;
}
