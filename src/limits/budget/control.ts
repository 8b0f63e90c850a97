import type { Control, Exchange } from '../../domain/control.ts';
import type { FailureMode } from '../../domain/failure-mode.ts';
import { mayHaveTakenEffect } from '../../domain/outcome.ts';
import { allow, deny, type Verdict } from '../../domain/verdict.ts';
import { formatNanoUsd } from '../../lib/nano-usd.ts';
import { windowEndMs } from '../calendar-window.ts';
import { type CounterFact, factFor, requireKnownFacts } from '../counter-facts.ts';
import type { BudgetRule, Counter, LimitRules } from '../limit-rules.ts';
import type { BudgetState, SoftLimitWarning } from './state.ts';

export const budgetFailureMode: FailureMode<'budget-exhausted'> = {
  control: 'budget',
  trigger: 'one budget that matches does not cover the call and its cost',
  result: 'budget-exhausted',
  override: 'no row of `policies/limits.yaml` that matches',
};

/** What the call is reckoned to cost, the budget time, and per budget what was used before the call. */
export type BudgetFacts = {
  readonly nowMs: number;
  readonly costNanoUsd: number;
  readonly rules: readonly BudgetFact[];
  /** Only where the reservation is that of the leg before. */
  readonly carried?: true;
};
export type BudgetFact = CounterFact & {
  readonly windowStartMs: number;
  /** Charged and reserved. */
  readonly usedCalls: number;
  readonly usedNanoUsd: number;
};

/**
 * The control `budget`: reserves one call and the tool's cost on every budget that matches, or on none, before anything
 * leaves and without waiting, so that no two calls see the same rest. `settle` charges the reservation when the
 * upstream acted or may have acted, and refunds it when it certainly did not; exactly once. While the call waits for an
 * answer it stays reserved, for the leg that goes on, which is not judged anew; one that is refused only for now gives it
 * back to the leg before.
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
      // What was refused now was dispatched by the leg before.
      const hasLeft = carried === true && outcome.kind === 'refused';
      if (!hasLeft && !mayHaveTakenEffect(outcome)) state.refund(call.id);
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
  const { rule, endsAtMs } = refusing;
  const retryAfterMs = Math.max(0, endsAtMs - facts.nowMs);
  const message = `${formatAmounts(rule)} per ${rule.window} do not cover this call; the next ${rule.window} begins in ${retryAfterMs} ms`;
  return deny(budgetFailureMode.result, message, { rule: rule.at, retryAfterMs });
}

/** Of the budgets that do not cover the call, the one whose window ends last; undefined when all cover it. */
function longestExhausted(
  counters: readonly Counter<BudgetRule>[],
  facts: BudgetFacts,
): { readonly rule: BudgetRule; readonly endsAtMs: number } | undefined {
  let rule: BudgetRule | undefined;
  let endsAtMs = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < counters.length; index += 1) {
    const counter = counters[index] as Counter<BudgetRule>;
    const fact = factFor(facts.rules, counter, index);
    if (isWithinLimit(counter.rule, fact, facts.costNanoUsd)) continue;
    const end = windowEndMs(counter.rule.window, fact.windowStartMs);
    if (end > endsAtMs) {
      endsAtMs = end;
      rule = counter.rule;
    }
  }
  return rule === undefined ? undefined : { rule, endsAtMs };
}

function isWithinLimit({ hard }: BudgetRule, fact: BudgetFact, costNanoUsd: number): boolean {
  if (hard.calls !== undefined && fact.usedCalls + 1 > hard.calls) return false;
  return hard.nanoUsd === undefined || fact.usedNanoUsd + costNanoUsd <= hard.nanoUsd;
}

function formatAmounts({ hard }: BudgetRule): string {
  const calls = hard.calls === undefined ? [] : [`${hard.calls} calls`];
  const dollars = hard.nanoUsd === undefined ? [] : [`$${formatNanoUsd(hard.nanoUsd)}`];
  return [...calls, ...dollars].join(' and ');
}
