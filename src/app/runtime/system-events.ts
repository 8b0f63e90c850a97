import type { SystemDetails, SystemEntry, SystemKind } from '../../ledger/entry.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Digest } from '../../lib/digest.ts';
import { errorMessage } from '../../lib/text/error-message.ts';
import type { Clock } from '../../lib/time.ts';
import type { Log } from '../../telemetry/log.ts';

/** An event of the broker itself or of those who operate it: its kind and its details. */
export type SystemEvent = {
  readonly [Kind in SystemKind]: { readonly kind: Kind; readonly by?: string } & SystemDetails[Kind];
}[SystemKind];

/** Writes system events into the ledger. */
export interface SystemEvents {
  /** Resolves when the entry is durable, or when the log says that it could not be written. */
  record(event: SystemEvent): Promise<void>;
  /** Like `record`, and rejects when the entry could not be written: for operations that must not happen unrecorded. */
  recordOrThrow(event: SystemEvent): Promise<void>;
}

/** The files that are active when an entry is made. */
interface ActiveFiles {
  readonly rules: { readonly revision: Digest };
  readonly registry: { readonly digest: Digest };
}

export interface SystemEventsDeps {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Opens the system events of a ledger. Events without `by` are the broker's own. Entries hold null as revision and
 * registry until `useDigestsOf` names the files.
 */
export function openSystemEvents(deps: SystemEventsDeps): SystemEvents & { useDigestsOf(files: ActiveFiles): void } {
  let active: ActiveFiles | undefined;
  const recordOrThrow = ({ kind, by = 'system:broker', ...detail }: SystemEvent): Promise<void> => {
    const revision = active?.rules.revision ?? null;
    const registry = active?.registry.digest ?? null;
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
    useDigestsOf: (files) => {
      active = files;
    },
    recordOrThrow,
    record: (event) =>
      recordOrThrow(event).catch((error: unknown) => {
        const message = errorMessage(error);
        deps.log.error('ledger.unavailable', { kind: event.kind, error: message });
      }),
  };
}
