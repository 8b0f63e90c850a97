import { formatNanoUsd } from '../lib/nano-usd.ts';
import type { BudgetState } from './budget/state.ts';
import type { ConcurrencyState } from './concurrency.ts';
import { aheadUsAt, waitUsFor } from './gcra.ts';
import type {
  BudgetAmounts,
  BudgetRule,
  ConcurrencyRule,
  Counter,
  LimitRule,
  LimitRules,
  RateRule,
} from './limit-rules.ts';
import { countersFor } from './limit-rules.ts';
import type { RateState } from './rate.ts';

type RuleLocation = {
  /** `limits.yaml:<line>`. */
  readonly rule: string;
  /** The subject counted: an agent, or a role or team whose members share the counter. */
  readonly subject: string;
  readonly resource: string;
  readonly action: string;
};

/** The state of a rate: how many of its `burst` calls are left now. */
export type RateStatus = RuleLocation & {
  readonly kind: 'rate';
  readonly limit: string;
  readonly burst: number;
  readonly used: number;
  readonly left: number;
  /** Milliseconds until the next call is admitted; 0 when one is admitted now. */
  readonly nextInMs: number;
};

/** The state of a concurrency limit: calls in flight. */
export type ConcurrencyStatus = RuleLocation & {
  readonly kind: 'concurrency';
  readonly limit: number;
  readonly used: number;
  readonly left: number;
};

/** Calls, dollars as a decimal string, or both. */
export type FormattedAmounts = { readonly calls?: number; readonly usd?: string };

/** The state of a budget in its current window. */
export type BudgetStatus = RuleLocation & {
  readonly kind: 'budget';
  readonly window: string;
  /** ISO 8601 in UTC. */
  readonly endsAt: string;
  readonly limit: FormattedAmounts;
  /** Charged and reserved. */
  readonly used: { readonly calls: number; readonly usd: string };
  /** The part of `used` that calls in flight have reserved. */
  readonly reserved: { readonly calls: number; readonly usd: string };
  readonly left: FormattedAmounts;
  readonly softPercent: number;
  readonly softCrossed: boolean;
};

/** The counters that exist in the memory of a running broker only. */
export interface LiveCounters {
  readonly rates: RateState;
  readonly concurrency: ConcurrencyState;
  /** Milliseconds of the monotonic clock. */
  readonly monotonicMs: number;
}

/** The counters of `rules` that apply to `callers`, each a list of subjects; every counter once. */
function countersForCallers<Rule extends LimitRule>(
  rules: readonly Rule[],
  callers: readonly (readonly string[])[],
): Counter<Rule>[] {
  return rules.flatMap((rule) => {
    const byKey = callers.flatMap((subjects) => countersFor(rule, subjects));
    return [...new Map(byKey.map((counter) => [counter.key, counter])).values()];
  });
}

/** The state of every rate and concurrency limit that applies to `callers`. */
export function liveStatus(
  rules: LimitRules,
  callers: readonly (readonly string[])[],
  live: LiveCounters,
): readonly (RateStatus | ConcurrencyStatus)[] {
  const nowUs = Math.floor(live.monotonicMs * 1_000);
  return [
    ...countersForCallers(rules.rates, callers).map((counter) => rateStatus(counter, live.rates, nowUs)),
    ...countersForCallers(rules.concurrency, callers).map((counter) => concurrencyStatus(counter, live.concurrency)),
  ];
}

/** The state of every budget that applies to `callers`. */
export function budgetStatus(
  rules: LimitRules,
  callers: readonly (readonly string[])[],
  budgets: Pick<BudgetState, 'level' | 'nowMs'>,
): readonly BudgetStatus[] {
  const nowMs = budgets.nowMs();
  return countersForCallers(rules.budgets, callers).map((counter) => statusOfBudget(counter, budgets, nowMs));
}

function rateStatus(counter: Counter<RateRule>, state: RateState, nowUs: number): RateStatus {
  const { limit, burst, cell } = counter.rule;
  const aheadUs = aheadUsAt(state.tatUs(counter.key), nowUs);
  const left = aheadUs > cell.toleranceUs ? 0 : Math.floor((cell.toleranceUs - aheadUs) / cell.emissionUs) + 1;
  const nextInMs = Math.ceil(waitUsFor(cell, aheadUs) / 1_000);
  return { kind: 'rate', ...locationOf(counter), limit, burst, used: burst - left, left, nextInMs };
}

function concurrencyStatus(counter: Counter<ConcurrencyRule>, state: ConcurrencyState): ConcurrencyStatus {
  const { limit } = counter.rule;
  const used = state.inUse(counter.key);
  return { kind: 'concurrency', ...locationOf(counter), limit, used, left: Math.max(0, limit - used) };
}

function statusOfBudget(
  counter: Counter<BudgetRule>,
  budgets: Pick<BudgetState, 'level'>,
  nowMs: number,
): BudgetStatus {
  const { window, hard, softPercent } = counter.rule;
  const level = budgets.level(counter, nowMs);
  const { usedCalls, usedNanoUsd, reservedCalls, reservedNanoUsd } = level;
  return {
    kind: 'budget',
    ...locationOf(counter),
    window,
    endsAt: new Date(level.windowEndMs).toISOString(),
    limit: formatAmounts(hard),
    used: { calls: usedCalls, usd: formatNanoUsd(usedNanoUsd) },
    reserved: { calls: reservedCalls, usd: formatNanoUsd(reservedNanoUsd) },
    left: formatAmounts({
      ...(hard.calls === undefined ? {} : { calls: Math.max(0, hard.calls - usedCalls) }),
      ...(hard.nanoUsd === undefined ? {} : { nanoUsd: Math.max(0, hard.nanoUsd - usedNanoUsd) }),
    }),
    softPercent,
    softCrossed: level.isWarned,
  };
}

function locationOf({ rule, subject }: Counter): RuleLocation {
  return { rule: rule.at, subject, resource: rule.resource, action: rule.action };
}

function formatAmounts({ calls, nanoUsd }: BudgetAmounts): FormattedAmounts {
  return {
    ...(calls === undefined ? {} : { calls }),
    ...(nanoUsd === undefined ? {} : { usd: formatNanoUsd(nanoUsd) }),
  };
}
