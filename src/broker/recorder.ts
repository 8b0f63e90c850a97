import type { Refusal } from '../domain/outcome.ts';
import type { DecidedAct, EndedAct, MalformedAct } from '../ledger/call-record.ts';

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
