import { existsSync } from 'node:fs';
import { parseAgentName } from '../../domain/principal.ts';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import {
  addUsage,
  byKey,
  NO_USAGE,
  queryUsage,
  USAGE_KEYS,
  type UsageKey,
  type UsageRow,
  type UsageSums,
} from '../../ledger/usage.ts';
import { formatNanoUsd } from '../../lib/nano-usd.ts';
import { parseTimestamp } from '../../lib/time.ts';
import { readRegistry } from '../../registry/load.ts';
import type { Settings } from '../settings.ts';
import { systemClock } from '../system.ts';
import { readLedger, TIME_HINT } from './ledger.ts';

/** Values of `--by`. */
export type UsageGroup = UsageKey | 'cost-centre';
export const USAGE_GROUPS: readonly UsageGroup[] = [...USAGE_KEYS, 'cost-centre'];

/** Flags as typed. */
export interface UsageFlags {
  readonly by?: string;
  readonly since?: string;
  readonly until?: string;
}

/** Sums for output. `usd` is an exact decimal number of dollars. */
export interface UsageTotals extends Omit<UsageSums, 'costNanoUsd'> {
  readonly usd: string;
}

/** Usage of the calls that ended from `since` to before `until`, both ISO 8601 in UTC, or null if open. */
export interface UsageReport {
  readonly by: UsageGroup;
  readonly since: string | null;
  readonly until: string | null;
  /** By key; the key is null if the entries do not hold it. */
  readonly rows: readonly (UsageTotals & { readonly key: string | null })[];
  readonly total: UsageTotals;
  /** Altered entries that cannot be read; they are in no sum. */
  readonly unreadable: number;
}

/** Sums the calls of the ledger. @throws ProblemError for invalid flags, or if there is no ledger. */
export function usageReport(
  settings: Settings,
  flags: UsageFlags,
  onProgress: (share: number) => void = () => {},
): UsageReport {
  const nowMs = systemClock.wallMs();
  const { by, fromMs, untilMs } = parseUsageFlags(flags, nowMs);
  const key: UsageKey = by === 'cost-centre' ? 'agent' : by;
  const { rows, unreadable } = readLedger(settings, (database) =>
    queryUsage(database, { by: key, fromMs, untilMs }, onProgress),
  );
  const grouped = by === 'cost-centre' ? byCostCentre(rows, settings) : rows;
  return {
    by,
    since: flags.since === undefined ? null : new Date(fromMs).toISOString(),
    until: flags.until === undefined ? null : new Date(untilMs).toISOString(),
    rows: grouped.map(({ key, ...sums }) => ({ key, ...toUsageTotals(sums) })),
    total: toUsageTotals(grouped.reduce<UsageSums>(addUsage, NO_USAGE)),
    unreadable,
  };
}

function parseUsageFlags(
  { by = 'agent', since, until }: UsageFlags,
  nowMs: number,
): { readonly by: UsageGroup; readonly fromMs: number; readonly untilMs: number } {
  const problems: Problem[] = [];
  const reject = (at: string, hint: string): void => {
    problems.push({ code: 'settings-invalid', at, message: `\`${at}\` has a value that is not allowed`, hint });
  };
  const group = USAGE_GROUPS.find((known) => known === by);
  if (group === undefined) reject('--by', `write one of ${USAGE_GROUPS.join(', ')}`);
  const fromMs = since === undefined ? 0 : parseTimestamp(since, nowMs);
  if (fromMs === undefined) reject('--since', TIME_HINT);
  const untilMs = until === undefined ? Number.MAX_SAFE_INTEGER : parseTimestamp(until, nowMs);
  if (untilMs === undefined) reject('--until', TIME_HINT);
  if (group === undefined || fromMs === undefined || untilMs === undefined) throw new ProblemError(problems);
  return { by: group, fromMs, untilMs };
}

/** Groups by the cost centre that the registry gives each agent now; entries do not hold it. */
function byCostCentre(rows: readonly UsageRow[], { registry: dir }: Settings): readonly UsageRow[] {
  const agents = existsSync(dir) ? readRegistry(dir).registry.agents : new Map<string, never>();
  const groups = new Map<string | null, UsageRow>();
  for (const { key: agent, ...sums } of rows) {
    const key = agents.get(parseAgentName(agent ?? ''))?.costCenter ?? null;
    groups.set(key, { key, ...addUsage(groups.get(key) ?? NO_USAGE, sums) });
  }
  return [...groups.values()].sort(byKey);
}

function toUsageTotals({ costNanoUsd, ...sums }: UsageSums): UsageTotals {
  return { ...sums, usd: formatNanoUsd(costNanoUsd) };
}
