import { existsSync } from 'node:fs';
import { agentNameOf } from '../domain/agent-name.ts';
import { type Problem, ProblemError } from '../domain/problem.ts';
import {
  addUsage,
  byKey,
  NO_USAGE,
  USAGE_KEYS,
  type UsageKey,
  type UsageRow,
  type UsageSums,
  usageOf,
} from '../ledger/usage.ts';
import { formatNanoUsd } from '../lib/money.ts';
import { parseTimePoint } from '../lib/time-point.ts';
import { readRegistry } from './known-registry.ts';
import { readingLedger, TIME_HINT } from './ledger-questions.ts';
import type { Settings } from './settings.ts';
import { systemClock } from './system.ts';

/** What `--by` may be. */
export type UsageGroup = UsageKey | 'cost-centre';
export const USAGE_GROUPS: readonly UsageGroup[] = [...USAGE_KEYS, 'cost-centre'];

/** What a person asks, as typed. */
export interface UsageQuestionTyped {
  readonly by?: string;
  readonly since?: string;
  readonly until?: string;
}

/** Sums as they are shown. `usd` is a decimal of dollars, exact. */
export interface ShownUsage extends Omit<UsageSums, 'costNanoUsd'> {
  readonly usd: string;
}

/** Usage of a span of time: what ended at `since` or later and before `until`, both ISO 8601 in UTC and null where open. */
export interface UsageAnswer {
  readonly by: UsageGroup;
  readonly since: string | null;
  readonly until: string | null;
  /** By key; the key is null for what entries do not tell. */
  readonly rows: readonly (ShownUsage & { readonly key: string | null })[];
  readonly total: ShownUsage;
  /** Entries that somebody has made into no entries: they are in no sum. */
  readonly unreadable: number;
}

/** Sums the calls of the book. @throws ProblemError for a question that is no question, or where there is no book. */
export function usageAnswer(
  settings: Settings,
  typed: UsageQuestionTyped,
  onProgress: (share: number) => void = () => {},
): UsageAnswer {
  const nowMs = systemClock.wallMs();
  const { by, fromMs, untilMs } = questionOf(typed, nowMs);
  const key: UsageKey = by === 'cost-centre' ? 'agent' : by;
  const { rows, unreadable } = readingLedger(settings, (database) =>
    usageOf(database, { by: key, fromMs, untilMs }, onProgress),
  );
  const grouped = by === 'cost-centre' ? byCostCentre(rows, settings) : rows;
  return {
    by,
    since: typed.since === undefined ? null : new Date(fromMs).toISOString(),
    until: typed.until === undefined ? null : new Date(untilMs).toISOString(),
    rows: grouped.map(({ key, ...sums }) => ({ key, ...shown(sums) })),
    total: shown(grouped.reduce<UsageSums>(addUsage, NO_USAGE)),
    unreadable,
  };
}

function questionOf(
  { by = 'agent', since, until }: UsageQuestionTyped,
  nowMs: number,
): { readonly by: UsageGroup; readonly fromMs: number; readonly untilMs: number } {
  const problems: Problem[] = [];
  const wrong = (at: string, hint: string): void => {
    problems.push({ code: 'settings-invalid', at, message: `\`${at}\` has a value that is not allowed`, hint });
  };
  const group = USAGE_GROUPS.find((known) => known === by);
  if (group === undefined) wrong('--by', `write one of ${USAGE_GROUPS.join(', ')}`);
  const fromMs = since === undefined ? 0 : parseTimePoint(since, nowMs);
  if (fromMs === undefined) wrong('--since', TIME_HINT);
  const untilMs = until === undefined ? Number.MAX_SAFE_INTEGER : parseTimePoint(until, nowMs);
  if (untilMs === undefined) wrong('--until', TIME_HINT);
  if (group === undefined || fromMs === undefined || untilMs === undefined) throw new ProblemError(problems);
  return { by: group, fromMs, untilMs };
}

/** Entries hold no cost centre: it is the one that the registry gives the agent now. */
function byCostCentre(rows: readonly UsageRow[], { registry: dir }: Settings): readonly UsageRow[] {
  const agents = existsSync(dir) ? readRegistry(dir).registry.agents : new Map<string, never>();
  const groups = new Map<string | null, UsageRow>();
  for (const { key: agent, ...sums } of rows) {
    const key = agents.get(agentNameOf(agent ?? ''))?.costCenter ?? null;
    groups.set(key, { key, ...addUsage(groups.get(key) ?? NO_USAGE, sums) });
  }
  return [...groups.values()].sort(byKey);
}

function shown({ costNanoUsd, ...sums }: UsageSums): ShownUsage {
  return { ...sums, usd: formatNanoUsd(costNanoUsd) };
}
