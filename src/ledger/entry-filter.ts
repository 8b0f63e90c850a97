import type { SqlValue } from '../storage/database.ts';
import type { EntryKind } from './entry.ts';

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
