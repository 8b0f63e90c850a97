import type { DatabaseReader } from '../storage/database.ts';
import type { AdmittedEntry, ClosedEntry } from './entry.ts';
import { parseDecision } from './read-entry.ts';
import { mayBeUnsettled } from './recovery-mark.ts';

/** A leg that ended with a question, and its intent. */
export interface SuspendedCallEntries {
  readonly intent: AdmittedEntry;
  readonly interrupted: ClosedEntry;
}

/** Since the last start: legs that a question interrupted and that have no second ending, and legs that go on. */
const SUSPENDED_CALLS = `SELECT e.body, (SELECT a.body FROM entry a WHERE a.call = e.call AND a.kind = 'call.admitted') AS intent
  FROM entry e INDEXED BY entry_of_call
  WHERE ${mayBeUnsettled('e')}
  AND (e.kind = 'call.admitted' AND instr(e.body, '"control":"request-state"') > 0
    OR e.kind = 'call.closed' AND instr(e.body, '"outcome":"input-required"') > 0 AND NOT EXISTS (
      SELECT 1 FROM entry c WHERE c.call = e.call AND c.seq > e.seq AND c.kind IN ('call.closed', 'call.in-doubt')))
  ORDER BY e.seq`;

/**
 * The last legs of calls that still waited for an answer when the book ended: no leg goes on with them and nothing says
 * how they ended. Memory grows with their number alone.
 */
export function findSuspendedCalls(database: Pick<DatabaseReader, 'iterate'>): readonly SuspendedCallEntries[] {
  const suspended = new Map<string, SuspendedCallEntries>();
  for (const row of database.iterate<{ readonly body: string; readonly intent: string | null }>(SUSPENDED_CALLS)) {
    const intent = row.intent === null ? undefined : parseDecision(row.intent);
    const entry = parseDecision(row.body);
    if (intent?.kind !== 'call.admitted') continue;
    const continued = continuedCallId(intent);
    if (entry?.kind === 'call.closed') suspended.set(continued ?? intent.callId, { intent, interrupted: entry });
    else if (continued !== undefined) suspended.delete(continued);
  }
  return [...suspended.values()];
}

/** Id of the call that a leg goes on with; undefined where it begins one. */
function continuedCallId({ steps }: AdmittedEntry): string | undefined {
  const facts = steps.find(({ control }) => control === 'request-state')?.facts;
  return facts?.state === 'valid' && typeof facts.continues === 'string' ? facts.continues : undefined;
}
