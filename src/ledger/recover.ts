import type { Clock } from '../lib/time.ts';
import type { Database, DatabaseReader } from '../storage/database.ts';
import type { AdmittedEntry, ClosedEntry, InDoubtEntry } from './entry.ts';
import type { Ledger } from './ledger.ts';
import { mayBeUnsettled } from './recovery-checkpoint.ts';
import { parseDecision } from './stored-entry.ts';

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
