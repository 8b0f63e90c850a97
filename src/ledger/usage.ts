import type { DatabaseReader } from '../storage/database.ts';

/** Keys that usage can be grouped by. Entries hold no cost centre; the caller groups the rows of `agent` by it. */
export const USAGE_KEYS = ['agent', 'tool', 'server', 'team', 'day', 'month', 'reason'] as const;
export type UsageKey = (typeof USAGE_KEYS)[number];

/** Sums of calls. Each call has exactly one of the four outcomes; `calls` is their sum. */
export interface UsageSums {
  readonly calls: number;
  readonly completed: number;
  /** Calls refused before dispatch, including aggregated ones, and calls whose result was withheld. */
  readonly refused: number;
  readonly failed: number;
  /** Failed or never closed, so that it is unknown whether the tool took effect. */
  readonly inDoubt: number;
  /** A bigint, because sums may pass 2^53. */
  readonly costNanoUsd: bigint;
}

/** Sums of one group. The key is null if the entries do not hold it, such as the tool of aggregated refusals. */
export interface UsageRow extends UsageSums {
  readonly key: string | null;
}

/** Selects the calls that ended in `[fromMs, untilMs)`, in milliseconds since 1970. */
export interface UsageQuery {
  readonly by: UsageKey;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Usage, and the number of entries that could not be read because they were tampered with. */
export interface Usage {
  readonly rows: readonly UsageRow[];
  readonly unreadable: number;
}

/** Entries per query; progress is reported after each query. */
const ENTRIES_PER_BATCH = 50_000;

/** The last entries of calls: each holds the principal, the outcome and the cost. */
const ENDINGS = `kind IN ('call.refused', 'call.closed', 'call.in-doubt', 'call.refusals-summed')
  AND seq > ? AND seq <= ? AND at >= ? AND at < ?`;

const TOOL = `CASE WHEN json_type(e.body, '$.target') = 'object' THEN e.body ->> '$.target.id'
  ELSE e.body ->> '$.target' END`;

// A body that was tampered with may not be JSON, and must not fail the query.
const json = (body: string): string => `CASE WHEN json_valid(${body}) THEN ${body} ELSE '{}' END`;

/** The entry with the subjects of a call: the entry itself, its intent, or the first refusal of an aggregate. */
const DECISION = `CASE e.kind WHEN 'call.refused' THEN e.body
  WHEN 'call.refusals-summed' THEN (SELECT ${json('r.body')} FROM entry r WHERE r.seq < e.seq
    AND r.kind = 'call.refused' AND r.principal = e.principal
    AND (${json('r.body')}) ->> '$.reason' = e.body ->> '$.reason' ORDER BY r.seq DESC LIMIT 1)
  ELSE (SELECT ${json('a.body')} FROM entry a WHERE a.call = e.call AND a.kind = 'call.admitted') END`;

const KEYS: Readonly<Record<UsageKey, string>> = {
  agent: 'e.principal',
  tool: TOOL,
  // Between the first `:` and the first `/`, whatever the kind: `tool:files/…`, `resource:files/file:///…`.
  server: `CASE WHEN instr(${TOOL}, '/') > instr(${TOOL}, ':') + 1
    THEN substr(${TOOL}, instr(${TOOL}, ':') + 1, instr(${TOOL}, '/') - instr(${TOOL}, ':') - 1) END`,
  team: `(SELECT substr(value, 6) FROM json_each(${DECISION}, '$.subjects') WHERE value GLOB 'team:*' LIMIT 1)`,
  day: `strftime('%Y-%m-%d', e.at / 1000, 'unixepoch')`,
  month: `strftime('%Y-%m', e.at / 1000, 'unixepoch')`,
  reason: `e.body ->> '$.reason'`,
};

/** A call that was never closed keeps its reservation; its intent holds the estimated cost. */
const COST = `CASE e.kind WHEN 'call.closed' THEN e.body ->> '$.costNanoUsd'
  WHEN 'call.in-doubt' THEN (SELECT s.value ->> '$.facts.costNanoUsd' FROM entry a, json_each(${json('a.body')}, '$.steps') s
    WHERE a.call = e.call AND a.kind = 'call.admitted' AND s.value ->> '$.control' = 'budget') END`;

const aggregateQuery = (by: UsageKey): string => `WITH ended AS MATERIALIZED (
    SELECT ${KEYS[by]} AS key, e.kind, e.body ->> '$.outcome' AS outcome, e.body ->> '$.inDoubt' AS inDoubt,
      CASE e.kind WHEN 'call.refusals-summed' THEN e.body ->> '$.count' ELSE 1 END AS number, ${COST} AS cost
    FROM (SELECT * FROM entry WHERE ${ENDINGS} AND json_valid(body)) e
    WHERE (e.kind <> 'call.refusals-summed' OR (${json('e.body')}) ->> '$.of' = 'call.refused')
    -- The round was interrupted by an input request; another entry holds the outcome of the call.
    AND e.body ->> '$.outcome' IS NOT 'input-required')
  SELECT key, sum(number) AS calls, sum(CASE WHEN outcome = 'completed' THEN number ELSE 0 END) AS completed,
    sum(CASE WHEN outcome = 'refused' OR kind IN ('call.refused', 'call.refusals-summed') THEN number ELSE 0 END) AS refused,
    sum(CASE WHEN outcome = 'failed' AND NOT inDoubt THEN number ELSE 0 END) AS failed,
    sum(CASE WHEN kind = 'call.in-doubt' OR outcome = 'failed' AND inDoubt THEN number ELSE 0 END) AS inDoubt,
    CAST(coalesce(sum(cost), 0) AS TEXT) AS cost
  FROM ended GROUP BY key`;

const UNREADABLE = `SELECT count(*) AS count FROM entry WHERE ${ENDINGS} AND NOT json_valid(body)`;

type SummedRow = Omit<UsageRow, 'costNanoUsd'> & { readonly cost: string };

/**
 * Sums the calls that ended, grouped and sorted by key. Memory grows only with the number of groups. `onProgress`
 * receives the share of the ledger that was read, from 0 to 1.
 */
export function queryUsage(
  database: Pick<DatabaseReader, 'read'>,
  query: UsageQuery,
  onProgress: (share: number) => void = () => {},
): Usage {
  // Entries that are written during the query are excluded, so that all parts see the same ledger.
  const lastSeq = database.read<{ readonly seq: number | null }>('SELECT max(seq) AS seq FROM entry')[0]?.seq ?? 0;
  const groups = new Map<string | null, UsageRow>();
  const sql = aggregateQuery(query.by);
  let unreadable = 0;
  for (let after = 0; after < lastSeq; after += ENTRIES_PER_BATCH) {
    const through = Math.min(after + ENTRIES_PER_BATCH, lastSeq);
    const params = [after, through, query.fromMs, query.untilMs];
    for (const { cost, ...row } of database.read<SummedRow>(sql, params)) {
      const previous = groups.get(row.key);
      const part = { ...row, costNanoUsd: BigInt(cost) };
      groups.set(row.key, previous === undefined ? part : { key: row.key, ...addUsage(previous, part) });
    }
    unreadable += database.read<{ readonly count: number }>(UNREADABLE, params)[0]?.count ?? 0;
    onProgress(through / lastSeq);
  }
  return { rows: [...groups.values()].sort(byKey), unreadable };
}

/** The sum of two sums. */
export function addUsage(one: UsageSums, other: UsageSums): UsageSums {
  return {
    calls: one.calls + other.calls,
    completed: one.completed + other.completed,
    refused: one.refused + other.refused,
    failed: one.failed + other.failed,
    inDoubt: one.inDoubt + other.inDoubt,
    costNanoUsd: one.costNanoUsd + other.costNanoUsd,
  };
}

/** Sums of no calls. */
export const NO_USAGE: UsageSums = { calls: 0, completed: 0, refused: 0, failed: 0, inDoubt: 0, costNanoUsd: 0n };

/** Orders rows by key; a row without a key comes last. */
export function byKey(one: UsageRow, other: UsageRow): number {
  if (one.key === null || other.key === null) return one.key === other.key ? 0 : one.key === null ? 1 : -1;
  return one.key < other.key ? -1 : 1;
}
