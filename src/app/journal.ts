import type { Ledger } from '../ledger/append.ts';
import type { HouseDetails, HouseEntry, HouseKind } from '../ledger/entry.ts';
import type { Clock } from '../lib/clock.ts';
import type { Digest } from '../lib/digest.ts';
import { thrownText } from '../lib/thrown-text.ts';
import type { Log } from '../telemetry/log.ts';

/** An act of the house: its kind and what is told of it. */
export type HouseEvent = {
  readonly [Kind in HouseKind]: { readonly kind: Kind; readonly by?: string } & HouseDetails[Kind];
}[HouseKind];

/** Writes the acts of the house, and of those who run it, into the ledger. */
export interface Journal {
  /** Resolves when the entry is durable, or when it is said in the log that it could not be made so. */
  note(event: HouseEvent): Promise<void>;
  /** Like `note`, and rejects when the entry could not be made durable: for acts that must not happen unrecorded. */
  require(event: HouseEvent): Promise<void>;
}

export interface JournalParts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  /** What is in force when the entry is made. */
  inForce(): { readonly revision: Digest | null; readonly registry: Digest | null };
}

/** The journal of a ledger. Acts without `by` are the broker's own. */
export function openJournal(parts: JournalParts): Journal {
  const require = ({ kind, by = 'system:broker', ...detail }: HouseEvent): Promise<void> => {
    const { revision, registry } = parts.inForce();
    const entry: HouseEntry = {
      atMs: parts.clock.wallMs(),
      detail,
      kind,
      principal: by,
      registry,
      revision,
      session: 'none',
      v: 1,
    };
    return parts.ledger.append(entry);
  };
  return {
    require,
    note: (event) =>
      require(event).catch((error: unknown) => {
        const message = thrownText(error);
        parts.log.error('ledger.unavailable', { kind: event.kind, error: message });
      }),
  };
}
