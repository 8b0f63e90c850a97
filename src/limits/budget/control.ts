import type { Control, Exchange } from '../../domain/control.ts';
import type { FailureMode } from '../../domain/failure-mode.ts';
import { mayHaveTakenEffect } from '../../domain/outcome.ts';
import { allow, deny, type Verdict } from '../../domain/verdict.ts';
import { formatNanoUsd } from '../../lib/nano-usd.ts';
import { formatDuration, formatTimestamp } from '../../lib/time.ts';
import { type CalendarWindow, windowEndMs } from '../calendar-window.ts';
import { type CounterFact, factFor, requireKnownFacts } from '../counter-facts.ts';
import type { BudgetRule, Counter, LimitRules } from '../limit-rules.ts';
import type { BudgetState, SoftLimitWarning } from './state.ts';

export const budgetFailureMode: FailureMode<'budget-exhausted'> = {
  control: 'budget',
  trigger: 'a matching budget does not cover the call and its cost',
  result: 'budget-exhausted',
  override: 'no row of `policies/limits.yaml` that matches',
};

/** The cost of the call, the budget time, and per budget the amounts used before the call. */
export type BudgetFacts = {
  readonly nowMs: number;
  readonly costNanoUsd: number;
  readonly rules: readonly BudgetFact[];
  /** Present when the call took over the reservation of the previous round. */
  readonly carried?: true;
};
export type BudgetFact = CounterFact & {
  readonly windowStartMs: number;
  /** Charged and reserved. */
  readonly usedCalls: number;
  readonly usedNanoUsd: number;
};

/**
 * The control `budget`: reserves one call and the tool's cost on every matching budget, or on none. It reserves
 * synchronously before dispatch, so two calls never see the same remainder. `settle` runs once: it charges the reservation
 * when the call took effect or may have, and refunds it otherwise. A suspended call keeps its reservation for the next
 * round, which takes it over without a new decision; a round that is refused while the call stays pending hands it back.
 */
export function budgetControl(
  rules: LimitRules,
  state: BudgetState,
  onSoftLimit: (warning: SoftLimitWarning) => void,
): Control<BudgetFacts> {
  return {
    name: 'budget',
    gather: ({ call }) => {
      const counters = rules.match(call).budgets;
      const costNanoUsd = call.target.kind === 'unknown' ? 0 : call.target.costNanoUsd;
      const nowMs = state.nowMs();
      const after = call.resumption?.stateCheck?.previousRoundId;
      if (after !== undefined && state.carry(after, call.id)) return { costNanoUsd, nowMs, rules: [], carried: true };
      const facts = { costNanoUsd, nowMs, rules: counters.map((counter) => readFact(counter, state, nowMs)) };
      if (counters.length > 0 && longestExhausted(counters, facts) === undefined) {
        state.reserve({ callId: call.id, counters, costNanoUsd, nowMs });
      }
      return facts;
    },
    decide: (exchange, facts) => decideBudget(rules, exchange, facts),
    settle: ({ call }, { carried }, outcome) => {
      if (outcome.kind === 'input-required') return;
      const after = call.resumption?.stateCheck?.previousRoundId;
      if (carried && after !== undefined && outcome.kind === 'refused' && outcome.stillPending) {
        state.carry(call.id, after);
        return;
      }
      // A refused round that carried a reservation belongs to a call that an earlier round dispatched.
      const wasDispatched = carried === true && outcome.kind === 'refused';
      if (!wasDispatched && !mayHaveTakenEffect(outcome)) state.refund(call.id);
      else for (const warning of state.charge(call.id)) onSoftLimit(warning);
    },
  };
}

function readFact(counter: Counter<BudgetRule>, state: BudgetState, nowMs: number): BudgetFact {
  const { windowStartMs, usedCalls, usedNanoUsd } = state.usage(counter, nowMs);
  const { id, at } = counter.rule;
  return { at, id, subject: counter.subject, usedCalls, usedNanoUsd, windowStartMs };
}

function decideBudget(rules: LimitRules, { call }: Exchange, facts: BudgetFacts): Verdict {
  if (facts.carried) return allow();
  const counters = rules.match(call).budgets;
  requireKnownFacts(facts.rules, counters);
  const refusing = longestExhausted(counters, facts);
  if (refusing === undefined) return allow();
  const { rule, fact, endsAtMs } = refusing;
  const retryAfterMs = Math.max(0, endsAtMs - facts.nowMs);
  const budget = `${PERIOD[rule.window]} budget of ${formatAmounts(rule)}`;
  const reset = `resets ${formatTimestamp(endsAtMs)} (in ${formatDuration(retryAfterMs)})`;
  const message = `${budget} ${describeShortfall(rule, fact, facts.costNanoUsd)}; ${reset}`;
  return deny(budgetFailureMode.result, message, { rule: rule.at, retryAfterMs });
}

const PERIOD: Readonly<Record<CalendarWindow, string>> = {
  second: 'per-second',
  minute: 'per-minute',
  hour: 'hourly',
  day: 'daily',
  week: 'weekly',
  month: 'monthly',
};

/** The exhausted budget whose window ends last, with its fact; undefined when all cover the call. */
function longestExhausted(
  counters: readonly Counter<BudgetRule>[],
  facts: BudgetFacts,
): { readonly rule: BudgetRule; readonly fact: BudgetFact; readonly endsAtMs: number } | undefined {
  let longest: { readonly rule: BudgetRule; readonly fact: BudgetFact; readonly endsAtMs: number } | undefined;
  for (let index = 0; index < counters.length; index += 1) {
    const counter = counters[index] as Counter<BudgetRule>;
    const fact = factFor(facts.rules, counter, index);
    if (isWithinLimit(counter.rule, fact, facts.costNanoUsd)) continue;
    const endsAtMs = windowEndMs(counter.rule.window, fact.windowStartMs);
    if (longest === undefined || endsAtMs > longest.endsAtMs) longest = { rule: counter.rule, fact, endsAtMs };
  }
  return longest;
}

function isWithinLimit({ hard }: BudgetRule, fact: BudgetFact, costNanoUsd: number): boolean {
  if (hard.calls !== undefined && fact.usedCalls + 1 > hard.calls) return false;
  return hard.nanoUsd === undefined || fact.usedNanoUsd + costNanoUsd <= hard.nanoUsd;
}

/** A budget in money can have a remainder that is smaller than the cost of the call. */
function describeShortfall({ hard }: BudgetRule, fact: BudgetFact, costNanoUsd: number): string {
  const hasCalls = hard.calls === undefined || fact.usedCalls < hard.calls;
  const leftNanoUsd = hard.nanoUsd === undefined ? 0 : hard.nanoUsd - fact.usedNanoUsd;
  if (!hasCalls || leftNanoUsd <= 0) return 'is exhausted';
  return `has $${formatNanoUsd(leftNanoUsd)} left, and this call costs $${formatNanoUsd(costNanoUsd)}`;
}

function formatAmounts({ hard }: BudgetRule): string {
  const calls = hard.calls === undefined ? [] : [`${hard.calls} ${hard.calls === 1 ? 'call' : 'calls'}`];
  const dollars = hard.nanoUsd === undefined ? [] : [`$${formatNanoUsd(hard.nanoUsd)}`];
  return [...calls, ...dollars].join(' and ');
}
