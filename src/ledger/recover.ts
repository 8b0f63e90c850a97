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
 * Records every admitted call without an outcome as in doubt, and closes calls that waited for an input response, which
 * cannot arrive any more; all in one transaction. MUST be called after the database is opened and before
 * `broker.started` is appended, which means that every earlier call is settled. Returns the entries that were made.
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

/** Builds the second `call.closed` of a call that was suspended at the crash. */
function abandonedEntry({ intent, interrupted }: SuspendedCallEntries, atMs: number): ClosedEntry {
  return {
    action: interrupted.action,
    admittedAtMs: interrupted.admittedAtMs,
    atMs,
    callId: interrupted.callId,
    costNanoUsd: reservedCost(intent),
    // The time that it waited before the broker ended is unknown; this is a lower bound.
    durationMs: interrupted.durationMs,
    inDoubt: true,
    kind: 'call.closed',
    message: 'the broker stopped while the call waited for an input response',
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

/** The reservation stays charged; the facts of the budget control hold the estimated cost. */
function reservedCost({ steps }: AdmittedEntry): number {
  const cost = steps.find(({ control }) => control === 'budget')?.facts.costNanoUsd;
  return typeof cost === 'number' ? cost : 0;
}

/** A round that ended with an input request, and its intent. */
export interface SuspendedCallEntries {
  readonly intent: AdmittedEntry;
  readonly interrupted: ClosedEntry;
}

/** Since the last start: rounds that an input request interrupted and that have no second outcome, and later rounds. */
const SUSPENDED_CALLS = `SELECT e.body, (SELECT a.body FROM entry a WHERE a.call = e.call AND a.kind = 'call.admitted') AS intent
  FROM entry e INDEXED BY entry_of_call
  WHERE ${mayBeUnsettled('e')}
  AND (e.kind = 'call.admitted' AND instr(e.body, '"control":"request-state"') > 0
    OR e.kind = 'call.closed' AND instr(e.body, '"outcome":"input-required"') > 0 AND NOT EXISTS (
      SELECT 1 FROM entry c WHERE c.call = e.call AND c.seq > e.seq AND c.kind IN ('call.closed', 'call.in-doubt')))
  ORDER BY e.seq`;

/**
 * The last rounds of calls that still waited for an input response at the end of the ledger: no later round continues
 * them and no outcome closes them. Memory grows only with their number.
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

/** Id of the call that a round continues; undefined for a first round. */
function continuedCallId({ steps }: AdmittedEntry): string | undefined {
  const facts = steps.find(({ control }) => control === 'request-state')?.facts;
  return facts?.state === 'valid' && typeof facts.continues === 'string' ? facts.continues : undefined;
}
