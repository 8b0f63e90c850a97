import type { JsonValue } from '../lib/json/json.ts';
import type { DatabaseReader, SqlValue } from '../storage/database.ts';
import { saltedDigest } from './commitment.ts';
import type { Entry, EntryKind } from './entry.ts';
import { hasValidHash, parseEntry, type StoredEntry } from './stored-entry.ts';

/** An entry, parsed and verified, for display. */
export interface LedgerEntryView {
  readonly seq: number;
  /** Null if the body is not an entry, which happens only if the file was tampered with. */
  readonly entry: Entry | null;
  /** False if the body was changed after it was written: its hash differs. */
  readonly untouched: boolean;
}

/** An entry with its payload as far as it is kept: arguments of an intent or refusal, result of an outcome. */
export interface CallEntryView extends LedgerEntryView {
  readonly payload: PayloadView;
}

/**
 * A payload as far as it is kept. `bytes`: its value, and whether it matches the commitment; `digest`: only the digest;
 * `erased`: the digest, and the salt was erased; `none`: the entry has no payload.
 */
export type PayloadView =
  | { readonly kept: 'bytes'; readonly value: JsonValue; readonly matches: boolean }
  | { readonly kept: 'digest' | 'none' | 'erased' };

interface EntryRow extends StoredEntry {
  readonly kind: string;
}

/** Lists the newest entries that pass the filter, newest first; at most `limit`. */
export function listEntries(
  database: DatabaseReader,
  { limit, ...filter }: EntryFilter & { readonly limit: number },
): readonly LedgerEntryView[] {
  const { sql, params } = filterCondition(filter);
  const text = `SELECT seq, body, leaf FROM entry WHERE ${sql} ORDER BY seq DESC LIMIT ?`;
  return database.read<StoredEntry>(text, [...params, limit]).map(toEntryView);
}

/** Lists the oldest entries that pass the filter, oldest first; at most `limit`. For readers that follow the ledger. */
export function listNextEntries(
  database: DatabaseReader,
  { limit, ...filter }: EntryFilter & { readonly limit: number },
): readonly LedgerEntryView[] {
  const { sql, params } = filterCondition(filter);
  const text = `SELECT seq, body, leaf FROM entry WHERE ${sql} ORDER BY seq LIMIT ?`;
  return database.read<StoredEntry>(text, [...params, limit]).map(toEntryView);
}

/** Number and time of the newest entry; undefined if the ledger is empty. */
export function readLastEntry(
  database: Pick<DatabaseReader, 'read'>,
): { readonly seq: number; readonly atMs: number } | undefined {
  return database.read<{ readonly seq: number; readonly atMs: number }>(
    'SELECT seq, at AS atMs FROM entry ORDER BY seq DESC LIMIT 1',
  )[0];
}

/** Every entry of a call in order, with its payloads as far as they are kept; empty if there is no such call. */
export function listCallEntries(database: DatabaseReader, callId: string): readonly CallEntryView[] {
  // An older version stored salts in the table of payloads.
  const sql = `SELECT entry.seq, body, leaf, coalesce(entry.salt, payload.salt) AS salt, bytes FROM entry
    LEFT JOIN payload ON payload.seq = entry.seq WHERE call = ? ORDER BY entry.seq`;
  return database.read<PayloadRow>(sql, [callId]).map((row) => ({ ...toEntryView(row), payload: toPayloadView(row) }));
}

interface PayloadRow extends StoredEntry {
  readonly salt: Uint8Array | null;
  readonly bytes: string | null;
}

/** Number of entries. */
export function countEntries(database: DatabaseReader): number {
  return database.read<{ readonly count: number }>('SELECT count(*) AS count FROM entry')[0]?.count ?? 0;
}

/** An entry with decisions, and the intent if the entry is an outcome. */
export interface StoredDecision extends StoredEntry {
  readonly intent?: StoredEntry;
}

interface DecisionRow extends EntryRow {
  readonly intentSeq: number | null;
  readonly intentBody: string | null;
  readonly intentLeaf: Uint8Array | null;
}

/** Iterates over every entry with decisions, in order and in constant memory. */
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
  // Search the text: the entry commits to the payload whichever key holds the digest.
  return { kept: 'bytes', value: JSON.parse(bytes), matches: body.includes(`"${digest}"`) };
}

function commitsToPayload(body: string): boolean {
  const entry = parseEntry(body);
  return entry !== undefined && ('argsDigest' in entry || 'resultDigest' in entry);
}

/** A filter of entries. An entry must meet every condition that is given. */
export interface EntryFilter {
  /** Made at this time or later; milliseconds since 1970. */
  readonly sinceMs?: number;
  /** Name of an agent, without `agent:`. */
  readonly agent?: string;
  readonly kind?: EntryKind;
  readonly callId?: string;
  /** Id of a tool, such as `tool:files/read_file`. */
  readonly tool?: string;
  /** Reason of a refusal or failure, such as `policy-denied`. */
  readonly reason?: string;
  /** Older than the entry of this number, for the next page. */
  readonly before?: number;
  /** Newer than the entry of this number, for new entries. */
  readonly after?: number;
}

// A body that was tampered with may not be JSON, and must not fail the query.
const IN_BODY = (path: string): string => `CASE WHEN json_valid(body) THEN json_extract(body, '${path}') END`;
// The tool stands in `target` of an outcome, in `target.id` of a decision and in `detail.tool` of a system event.
const TOOL = `? IN (${['$.target', '$.target.id', '$.detail.tool'].map(IN_BODY).join(', ')})`;

/** A filter as an SQL condition on `entry`, with its parameters; `1` for an empty filter. */
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
