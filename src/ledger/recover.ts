import type { Clock } from '../lib/clock.ts';
import type { Database } from '../storage/database.ts';
import type { Ledger } from './append.ts';
import type { AdmittedEntry, InDoubtEntry } from './entry.ts';
import { readDecision } from './read-entry.ts';

// What came before the last `broker.started` was settled when that was written: recovery comes first.
const OPEN_INTENTS = `SELECT a.body FROM entry a
  WHERE a.seq > coalesce((SELECT max(seq) FROM entry WHERE call IS NULL AND kind = 'broker.started'), 0)
  AND a.kind = 'call.admitted' AND NOT EXISTS (
    SELECT 1 FROM entry c WHERE c.call = a.call AND c.kind IN ('call.closed', 'call.in-doubt'))
  ORDER BY a.seq`;

/**
 * Marks every call that was admitted and never closed as in doubt, in one transaction. MUST be called after the
 * database is opened and before `broker.started` is appended, which says that all before it is settled; what a
 * second crash cuts short is found again. Returns the entries made.
 */
export async function recover(
  database: Database,
  ledger: Ledger,
  { clock }: { readonly clock: Clock },
): Promise<readonly InDoubtEntry[]> {
  const atMs = clock.wallMs();
  const found: InDoubtEntry[] = [];
  for (const { body } of database.read<{ readonly body: string }>(OPEN_INTENTS)) {
    const intent = readDecision(body);
    if (intent?.kind === 'call.admitted') found.push(inDoubtEntry(intent, atMs));
  }
  if (found.length > 0) await ledger.appendAll(found);
  return found;
}

function inDoubtEntry(intent: AdmittedEntry, atMs: number): InDoubtEntry {
  return {
    action: intent.action,
    admittedAtMs: intent.atMs,
    atMs,
    callId: intent.callId,
    kind: 'call.in-doubt',
    principal: intent.principal,
    reason: 'in-doubt',
    registry: intent.registry,
    revision: intent.revision,
    session: intent.session,
    target: intent.target.id,
    v: 1,
  };
}
