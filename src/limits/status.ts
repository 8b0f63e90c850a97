import { formatNanoUsd } from '../lib/money.ts';
import type { BudgetState } from './budget-state.ts';
import type { ConcurrencyState } from './concurrency-state.ts';
import { aheadUsOf, waitUsOf } from './gcra.ts';
import type {
  BudgetAmounts,
  BudgetRule,
  ConcurrencyRule,
  Counter,
  LimitRule,
  LimitRules,
  RateRule,
} from './limit-rule.ts';
import { countersOf } from './match.ts';
import type { RateState } from './rate-state.ts';

type Place = {
  /** `limits.yaml:<line>`. */
  readonly rule: string;
  /** Whose counter it is: an agent's own, or that of a role or team, shared by its members. */
  readonly subject: string;
  readonly resource: string;
  readonly action: string;
};

/** A rate: of `burst` calls at once from rest, how many are left now. */
export type RateStatus = Place & {
  readonly kind: 'rate';
  readonly limit: string;
  readonly burst: number;
  readonly used: number;
  readonly left: number;
  /** Milliseconds until the next call is admitted; 0 when it is now. */
  readonly nextInMs: number;
};

/** A concurrency limit: calls under way. */
export type ConcurrencyStatus = Place & {
  readonly kind: 'concurrency';
  readonly limit: number;
  readonly used: number;
  readonly left: number;
};

/** Calls, dollars as a decimal, or both. */
export type ShownAmounts = { readonly calls?: number; readonly usd?: string };

/** A budget in the window that holds now. */
export type BudgetStatus = Place & {
  readonly kind: 'budget';
  readonly window: string;
  /** ISO 8601 in UTC. */
  readonly endsAt: string;
  readonly limit: ShownAmounts;
  /** Charged and reserved. */
  readonly used: { readonly calls: number; readonly usd: string };
  /** The part of it that calls under way have reserved. */
  readonly reserved: { readonly calls: number; readonly usd: string };
  readonly left: ShownAmounts;
  readonly softPercent: number;
  readonly softCrossed: boolean;
};

/** What counts rates and slots: in the memory of the broker alone. */
export interface LiveCounters {
  readonly rates: RateState;
  readonly concurrency: ConcurrencyState;
  /** Milliseconds of the monotonic clock. */
  readonly monotonicMs: number;
}

/** The counters of `rules` that concern those who are `askers`, each a list of subjects; every counter once. */
function counters<Rule extends LimitRule>(
  rules: readonly Rule[],
  askers: readonly (readonly string[])[],
): Counter<Rule>[] {
  return rules.flatMap((rule) => {
    const found = askers.flatMap((subjects) => countersOf(rule, subjects));
    return [...new Map(found.map((counter) => [counter.key, counter])).values()];
  });
}

/** How every rate and concurrency limit of these askers stands. */
export function liveStatus(
  rules: LimitRules,
  askers: readonly (readonly string[])[],
  live: LiveCounters,
): readonly (RateStatus | ConcurrencyStatus)[] {
  const nowUs = Math.floor(live.monotonicMs * 1_000);
  return [
    ...counters(rules.rates, askers).map((counter) => rateStatus(counter, live.rates, nowUs)),
    ...counters(rules.concurrency, askers).map((counter) => concurrencyStatus(counter, live.concurrency)),
  ];
}

/** How every budget of these askers stands. */
export function budgetStatus(
  rules: LimitRules,
  askers: readonly (readonly string[])[],
  budgets: Pick<BudgetState, 'standing' | 'nowMs'>,
): readonly BudgetStatus[] {
  const nowMs = budgets.nowMs();
  return counters(rules.budgets, askers).map((counter) => oneBudget(counter, budgets, nowMs));
}

function rateStatus(counter: Counter<RateRule>, state: RateState, nowUs: number): RateStatus {
  const { limit, burst, cell } = counter.rule;
  const aheadUs = aheadUsOf(state.tatUs(counter.key), nowUs);
  const left = aheadUs > cell.toleranceUs ? 0 : Math.floor((cell.toleranceUs - aheadUs) / cell.emissionUs) + 1;
  const nextInMs = Math.ceil(waitUsOf(cell, aheadUs) / 1_000);
  return { kind: 'rate', ...placeOf(counter), limit, burst, used: burst - left, left, nextInMs };
}

function concurrencyStatus(counter: Counter<ConcurrencyRule>, state: ConcurrencyState): ConcurrencyStatus {
  const { limit } = counter.rule;
  const used = state.inUse(counter.key);
  return { kind: 'concurrency', ...placeOf(counter), limit, used, left: Math.max(0, limit - used) };
}

function oneBudget(counter: Counter<BudgetRule>, budgets: Pick<BudgetState, 'standing'>, nowMs: number): BudgetStatus {
  const { window, hard, softPercent } = counter.rule;
  const stands = budgets.standing(counter, nowMs);
  const { usedCalls, usedNanoUsd, reservedCalls, reservedNanoUsd } = stands;
  return {
    kind: 'budget',
    ...placeOf(counter),
    window,
    endsAt: new Date(stands.windowEndMs).toISOString(),
    limit: shownAmounts(hard),
    used: { calls: usedCalls, usd: formatNanoUsd(usedNanoUsd) },
    reserved: { calls: reservedCalls, usd: formatNanoUsd(reservedNanoUsd) },
    left: shownAmounts({
      ...(hard.calls === undefined ? {} : { calls: Math.max(0, hard.calls - usedCalls) }),
      ...(hard.nanoUsd === undefined ? {} : { nanoUsd: Math.max(0, hard.nanoUsd - usedNanoUsd) }),
    }),
    softPercent,
    softCrossed: stands.isWarned,
  };
}

function placeOf({ rule, subject }: Counter): Place {
  return { rule: rule.at, subject, resource: rule.resource, action: rule.action };
}

function shownAmounts({ calls, nanoUsd }: BudgetAmounts): ShownAmounts {
  return {
    ...(calls === undefined ? {} : { calls }),
    ...(nanoUsd === undefined ? {} : { usd: formatNanoUsd(nanoUsd) }),
  };
}
