import type { SystemDetails, SystemEntry, SystemKind } from '../../ledger/entry.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Digest } from '../../lib/digest.ts';
import { errorMessage } from '../../lib/text/error-message.ts';
import type { Clock } from '../../lib/time.ts';
import type { Log } from '../../telemetry/log.ts';

/** An act of the house: its kind and what is told of it. */
export type SystemEvent = {
  readonly [Kind in SystemKind]: { readonly kind: Kind; readonly by?: string } & SystemDetails[Kind];
}[SystemKind];

/** Writes the acts of the house, and of those who run it, into the ledger. */
export interface SystemEvents {
  /** Resolves when the entry is durable, or when it is said in the log that it could not be made so. */
  record(event: SystemEvent): Promise<void>;
  /** Like `note`, and rejects when the entry could not be made durable: for acts that must not happen unrecorded. */
  recordOrThrow(event: SystemEvent): Promise<void>;
}

export interface SystemEventsDeps {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
  /** What is in force when the entry is made. */
  activeDigests(): { readonly revision: Digest | null; readonly registry: Digest | null };
}

/** The journal of a ledger. Acts without `by` are the broker's own. */
export function openSystemEvents(deps: SystemEventsDeps): SystemEvents {
  const recordOrThrow = ({ kind, by = 'system:broker', ...detail }: SystemEvent): Promise<void> => {
    const { revision, registry } = deps.activeDigests();
    const entry: SystemEntry = {
      atMs: deps.clock.wallMs(),
      detail,
      kind,
      principal: by,
      registry,
      revision,
      session: 'none',
      v: 1,
    };
    return deps.ledger.append(entry);
  };
  return {
    recordOrThrow,
    record: (event) =>
      recordOrThrow(event).catch((error: unknown) => {
        const message = errorMessage(error);
        deps.log.error('ledger.unavailable', { kind: event.kind, error: message });
      }),
  };
}
