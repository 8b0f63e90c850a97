import type { Action, Call } from '../domain/call.ts';
import type { CalendarWindow } from './calendar-window.ts';
import type { GcraRate } from './gcra.ts';

/** What every row of `limits.yaml` has. */
export interface LimitRule {
  /**
   * Digest of kind, subject, resource, action and unit or window: the same while other rows and this row's amounts
   * change, so that what was used stays used over a reload.
   */
  readonly id: string;
  /** `limits.yaml:<line>`, for people. */
  readonly at: string;
  /** Glob over the subjects of a call. */
  readonly subject: string;
  /** Glob over the id of the target. */
  readonly resource: string;
  readonly action: Action | '*';
}

/** At most `calls` per unit, evenly paced, `burst` of them at once from rest. */
export interface RateRule extends LimitRule {
  /** As written, such as `600/m`. */
  readonly limit: string;
  readonly burst: number;
  readonly cell: GcraRate;
}

/** At most `limit` calls under way at one time. */
export interface ConcurrencyRule extends LimitRule {
  readonly limit: number;
}

/** At most so many calls, so much money, or both, per calendar window. */
export interface BudgetRule extends LimitRule {
  readonly window: CalendarWindow;
  readonly hard: BudgetAmounts;
  /** Share of the hard amounts, in percent, at which a warning is given. */
  readonly softPercent: number;
  /** The smallest charged amounts that give the warning. */
  readonly soft: BudgetAmounts;
}

/** Amounts of a budget; what is absent is not limited. */
export interface BudgetAmounts {
  readonly calls?: number;
  readonly nanoUsd?: number;
}

/** One counter of one rule: the rule as it applies to one subject. */
export interface Counter<Rule extends LimitRule = LimitRule> {
  readonly rule: Rule;
  /** The subject of the call that is counted: `agent:x` for itself, `role:x` and `team:x` shared by their members. */
  readonly subject: string;
  /** Rule id and subject: what state is kept under. */
  readonly key: string;
}

/** Every counter that a call concerns. All of them apply; the strictest decides. */
export interface MatchedLimits {
  readonly rates: readonly Counter<RateRule>[];
  readonly concurrency: readonly Counter<ConcurrencyRule>[];
  readonly budgets: readonly Counter<BudgetRule>[];
}

/** What of a call decides which rules match it. */
export type LimitedCall = Pick<Call, 'subjects' | 'action' | 'target'>;

/** An immutable revision of `limits.yaml`. Holds no amounts used: those are kept in the states. */
export interface LimitRules {
  readonly rates: readonly RateRule[];
  readonly concurrency: readonly ConcurrencyRule[];
  readonly budgets: readonly BudgetRule[];
  /**
   * The counters of the rules whose subject, resource and action match the call, in the order of the file.
   * A rule counts each matching subject of the kind (`agent`, `role`, `team`) of the first subject that it matches:
   * `agent:*` and `*` count per agent, `role:*` counts every role of the agent, `role:x` is one counter for its members.
   */
  match(call: LimitedCall): MatchedLimits;
}
