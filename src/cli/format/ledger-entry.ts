import type { RecordedTarget } from '../../ledger/entry.ts';
import type { LedgerEntryView } from '../../ledger/list-entries.ts';

/** An entry as cells of a table: number, time, kind, principal, details, and `TAMPERED` if it was changed. */
export function ledgerEntryCells({ seq, entry, untouched }: LedgerEntryView): readonly string[] {
  if (!entry) return [`${seq}`, '', 'not an entry', '', 'TAMPERED'];
  const time = new Date(entry.atMs).toISOString();
  return [`${seq}`, time, entry.kind, entry.principal, entryText(entry), untouched ? '' : 'TAMPERED'];
}

function entryText(entry: NonNullable<LedgerEntryView['entry']>): string {
  switch (entry.kind) {
    case 'call.admitted':
      return `${entry.target.id}${viewText(entry.target)} ${entry.callId}`;
    case 'call.refused': {
      const target = 'exposedName' in entry.target ? `"${entry.target.exposedName}"` : entry.target.id;
      return `${target}${viewText(entry.target)} ${entry.reason}${entry.rule === undefined ? '' : ` by ${entry.rule}`} ${entry.callId}`;
    }
    case 'call.closed':
      return `${entry.target} ${entry.outcome}${entry.reason === undefined ? '' : ` ${entry.reason}`}${entry.inDoubt ? ' in doubt' : ''} ${entry.durationMs} ms ${entry.callId}`;
    case 'call.in-doubt':
      return `${entry.target} ${entry.callId}`;
    case 'call.refusals-summed':
      return `${entry.count} more ${entry.reason ?? entry.of}${entry.rule === undefined ? '' : ` by ${entry.rule}`}`;
    case 'message.refused':
      return `${entry.code} ${entry.problem}`;
    default:
      return JSON.stringify(entry.detail);
  }
}

/** The view of the call and the name that the target has there; empty outside of a view. */
function viewText({ via }: RecordedTarget): string {
  return via === undefined ? '' : ` as "${via.name}" on ${via.view}`;
}
