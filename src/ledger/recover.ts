import type { Clock } from '../lib/clock.ts';
import type { Database } from '../storage/database.ts';
import type { Ledger } from './append.ts';
import type { AdmittedEntry, ClosedEntry, InDoubtEntry } from './entry.ts';
import { parseDecision } from './read-entry.ts';
import { mayBeUnsettled } from './recovery-mark.ts';
import { findSuspendedCalls, type SuspendedCallEntries } from './waiting-calls.ts';

const OPEN_INTENTS = `SELECT a.body FROM entry a INDEXED BY entry_of_call
  WHERE ${mayBeUnsettled('a')}
  AND a.kind = 'call.admitted' AND NOT EXISTS (
    SELECT 1 FROM entry c WHERE c.call = a.call AND c.kind IN ('call.closed', 'call.in-doubt'))
  ORDER BY a.seq`;

/**
 * Marks every call that was admitted and never closed as in doubt, and closes those that waited for an answer, which
 * nobody can give any more: both in one transaction. MUST be called after the
 * database is opened and before `broker.started` is appended, which says that all before it is settled; what a
 * second crash cuts short is found again. Returns the entries made.
 */
export async function recover(
  database: Database,
  ledger: Ledger,
  { clock }: { readonly clock: Clock },
): Promise<readonly (InDoubtEntry | ClosedEntry)[]> {
  const atMs = clock.wallMs();
  const entries: (InDoubtEntry | ClosedEntry)[] = [];
  for (const { body } of database.read<{ readonly body: string }>(OPEN_INTENTS)) {
    const intent = parseDecision(body);
    if (intent?.kind === 'call.admitted') entries.push(inDoubtEntry(intent, atMs));
  }
  for (const suspended of findSuspendedCalls(database)) entries.push(abandonedEntry(suspended, atMs));
  if (entries.length > 0) await ledger.appendAll(entries);
  return entries;
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

/** The second ending of a leg that a question interrupted, as one that nobody answers gets it while the broker runs. */
function abandonedEntry({ intent, interrupted }: SuspendedCallEntries, atMs: number): ClosedEntry {
  return {
    action: interrupted.action,
    admittedAtMs: interrupted.admittedAtMs,
    atMs,
    callId: interrupted.callId,
    costNanoUsd: reservedCost(intent),
    // How long it waited before the broker ended nobody knows; so long it surely took.
    durationMs: interrupted.durationMs,
    inDoubt: true,
    kind: 'call.closed',
    message: 'the broker ended while the call waited for an answer',
    outcome: 'failed',
    principal: interrupted.principal,
    reason: 'in-doubt',
    registry: interrupted.registry,
    revision: interrupted.revision,
    session: interrupted.session,
    steps: [],
    target: interrupted.target,
    v: 1,
  };
}

/** The reservation stays charged: what the call was reckoned to cost stands in the facts of its budgets. */
function reservedCost({ steps }: AdmittedEntry): number {
  const cost = steps.find(({ control }) => control === 'budget')?.facts.costNanoUsd;
  return typeof cost === 'number' ? cost : 0;
}
