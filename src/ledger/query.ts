import type { JsonValue } from '../lib/json.ts';
import type { DatabaseReader } from '../storage/database.ts';
import { saltedDigest } from './commitment.ts';
import type { Entry } from './entry.ts';
import { type EntryFilter, filterCondition } from './entry-filter.ts';
import { hasValidHash, parseEntry, type StoredEntry } from './read-entry.ts';

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
