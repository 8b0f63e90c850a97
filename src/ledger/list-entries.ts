import type { JsonValue } from '../lib/json/json.ts';
import type { DatabaseReader, SqlValue } from '../storage/database.ts';
import { saltedDigest } from './commitment.ts';
import type { Entry, EntryKind } from './entry.ts';
import { hasValidHash, parseEntry, type StoredEntry } from './stored-entry.ts';

/** An entry as it is shown. */
export interface LedgerEntryView {
  readonly seq: number;
  /** Null when the body is no entry, which nobody but a forger writes. */
  readonly entry: Entry | null;
  /** False when the body is not what was hashed when it was written. */
  readonly untouched: boolean;
}

/** An entry with what is kept of its payload: arguments of an intent or refusal, result of an outcome. */
export interface CallEntryView extends LedgerEntryView {
  readonly payload: PayloadView;
}

/** `kept` and whether it is what was committed to; `digest`: the digest alone is kept; `none`: there was no payload. */
export type PayloadView =
  | { readonly kept: 'bytes'; readonly value: JsonValue; readonly matches: boolean }
  | { readonly kept: 'digest' | 'none' | 'erased' };

interface EntryRow extends StoredEntry {
  readonly kind: string;
}

/** The newest entries that pass the filter, newest first; at most `limit`. */
export function listEntries(
  database: DatabaseReader,
  { limit, ...filter }: EntryFilter & { readonly limit: number },
): readonly LedgerEntryView[] {
  const { sql, params } = filterCondition(filter);
  const text = `SELECT seq, body, leaf FROM entry WHERE ${sql} ORDER BY seq DESC LIMIT ?`;
  return database.read<StoredEntry>(text, [...params, limit]).map(toEntryView);
}

/** The oldest entries that pass the filter, oldest first; at most `limit`: how one who follows the book reads on. */
export function listNextEntries(
  database: DatabaseReader,
  { limit, ...filter }: EntryFilter & { readonly limit: number },
): readonly LedgerEntryView[] {
  const { sql, params } = filterCondition(filter);
  const text = `SELECT seq, body, leaf FROM entry WHERE ${sql} ORDER BY seq LIMIT ?`;
  return database.read<StoredEntry>(text, [...params, limit]).map(toEntryView);
}

/** Number and time of the newest entry; undefined in an empty book. */
export function readLastEntry(
  database: Pick<DatabaseReader, 'read'>,
): { readonly seq: number; readonly atMs: number } | undefined {
  return database.read<{ readonly seq: number; readonly atMs: number }>(
    'SELECT seq, at AS atMs FROM entry ORDER BY seq DESC LIMIT 1',
  )[0];
}

/** Every entry of a call in order, with what is kept of its payloads; empty when there is no such call. */
export function listCallEntries(database: DatabaseReader, callId: string): readonly CallEntryView[] {
  // Salts of entries that an older version wrote lie beside their payloads.
  const sql = `SELECT entry.seq, body, leaf, coalesce(entry.salt, payload.salt) AS salt, bytes FROM entry
    LEFT JOIN payload ON payload.seq = entry.seq WHERE call = ? ORDER BY entry.seq`;
  return database.read<PayloadRow>(sql, [callId]).map((row) => ({ ...toEntryView(row), payload: toPayloadView(row) }));
}

interface PayloadRow extends StoredEntry {
  readonly salt: Uint8Array | null;
  readonly bytes: string | null;
}

/** How many entries there are. */
export function countEntries(database: DatabaseReader): number {
  return database.read<{ readonly count: number }>('SELECT count(*) AS count FROM entry')[0]?.count ?? 0;
}

/** One entry that holds decisions, and for an outcome the intent it belongs to. */
export interface StoredDecision extends StoredEntry {
  readonly intent?: StoredEntry;
}

interface DecisionRow extends EntryRow {
  readonly intentSeq: number | null;
  readonly intentBody: string | null;
  readonly intentLeaf: Uint8Array | null;
}

/** Every entry that holds decisions, in order and one by one, so that a replay of any length needs no more memory. */
export function* iterateDecisions(database: DatabaseReader): IterableIterator<StoredDecision> {
  const sql = `SELECT e.seq, e.kind, e.body, e.leaf, a.seq AS intentSeq, a.body AS intentBody, a.leaf AS intentLeaf
    FROM entry e LEFT JOIN entry a ON e.kind = 'call.closed' AND a.call = e.call AND a.kind = 'call.admitted'
    WHERE e.kind IN ('call.admitted', 'call.refused', 'call.closed') ORDER BY e.seq`;
  for (const { seq, body, leaf, intentSeq, intentBody, intentLeaf } of database.iterate<DecisionRow>(sql)) {
    const stored = { seq, body, leaf };
    if (intentSeq === null || intentBody === null || intentLeaf === null) yield stored;
    else yield { ...stored, intent: { seq: intentSeq, body: intentBody, leaf: intentLeaf } };
  }
}

function toEntryView(stored: StoredEntry): LedgerEntryView {
  return { seq: stored.seq, entry: parseEntry(stored.body) ?? null, untouched: hasValidHash(stored) };
}

function toPayloadView({ body, salt, bytes }: PayloadRow): PayloadView {
  if (salt === null) return { kept: commitsToPayload(body) ? 'erased' : 'none' };
  if (bytes === null) return { kept: 'digest' };
  const digest = saltedDigest(salt, bytes);
  // Looked for in the text: whichever key holds it, it was committed to.
  return { kept: 'bytes', value: JSON.parse(bytes), matches: body.includes(`"${digest}"`) };
}

function commitsToPayload(body: string): boolean {
  const entry = parseEntry(body);
  return entry !== undefined && ('argsDigest' in entry || 'resultDigest' in entry);
}

/** Which entries are asked for. All that is given must hold. */
export interface EntryFilter {
  /** Made at that time or later; milliseconds since 1970. */
  readonly sinceMs?: number;
  /** Name of an agent, without `agent:`. */
  readonly agent?: string;
  readonly kind?: EntryKind;
  readonly callId?: string;
  /** Id of a tool, as `tool:files/read_file`. */
  readonly tool?: string;
  /** Reason of a refusal or failure, as `policy-denied`. */
  readonly reason?: string;
  /** Older than the entry of that number: the next page. */
  readonly before?: number;
  /** Newer than the entry of that number: what has come since. */
  readonly after?: number;
}

// A body that somebody has made into no JSON holds nothing, and must not end the query.
const IN_BODY = (path: string): string => `CASE WHEN json_valid(body) THEN json_extract(body, '${path}') END`;
// An outcome names its target, a decision holds it, and an act of the house tells of it.
const TOOL = `? IN (${['$.target', '$.target.id', '$.detail.tool'].map(IN_BODY).join(', ')})`;

/** The condition of a filter as SQL over `entry`, with its parameters; `1` where nothing is asked. */
export function filterCondition(filter: EntryFilter): { readonly sql: string; readonly params: readonly SqlValue[] } {
  const comparisons: readonly (readonly [condition: string, value: SqlValue | undefined])[] = [
    ['at >= ?', filter.sinceMs],
    ['principal = ?', filter.agent === undefined ? undefined : `agent:${filter.agent}`],
    ['kind = ?', filter.kind],
    ['call = ?', filter.callId],
    ['seq < ?', filter.before],
    ['seq > ?', filter.after],
    [`${IN_BODY('$.reason')} = ?`, filter.reason],
    [TOOL, filter.tool],
  ];
  const conditions: string[] = [];
  const params: SqlValue[] = [];
  for (const [condition, value] of comparisons) {
    if (value === undefined) continue;
    conditions.push(condition);
    params.push(value);
  }
  return { sql: conditions.join(' AND ') || '1', params };
}
