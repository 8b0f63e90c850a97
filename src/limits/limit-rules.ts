import { LRUCache } from 'lru-cache';
import type { Action, Call } from '../domain/call.ts';
import { globMatches, isLiteralGlob } from '../lib/text/glob.ts';
import type { CalendarWindow } from './calendar-window.ts';
import type { GcraRate } from './gcra.ts';

/** Cached combinations of subjects, action and target. */
const MATCH_CACHE_SIZE = 8_192;

/** Builds the immutable rules with their index: literal subjects by lookup, globs by scan, each once per combination. */
export function createLimitRules(lists: {
  readonly rates: readonly RateRule[];
  readonly concurrency: readonly ConcurrencyRule[];
  readonly budgets: readonly BudgetRule[];
}): LimitRules {
  const rates = new SubjectIndex(lists.rates);
  const concurrency = new SubjectIndex(lists.concurrency);
  const budgets = new SubjectIndex(lists.budgets);
  const cache = new LRUCache<string, MatchedLimits>({ max: MATCH_CACHE_SIZE });

  // Three controls match the same call one after the other; comparing its parts avoids building the cache key.
  let last: LimitedCall | undefined;
  let lastMatched: MatchedLimits | undefined;

  function match(call: LimitedCall): MatchedLimits {
    if (
      lastMatched !== undefined &&
      last?.subjects === call.subjects &&
      last.target === call.target &&
      last.action === call.action
    ) {
      return lastMatched;
    }
    const { subjects, action, target } = call;
    last = { subjects, action, target };
    lastMatched = lookup(call);
    return lastMatched;
  }

  function lookup(call: LimitedCall): MatchedLimits {
    const combination = `${call.target.id}\n${call.action}\n${call.subjects.join('\n')}`;
    const known = cache.get(combination);
    if (known !== undefined) return known;
    const matched = {
      rates: rates.countersFor(call),
      concurrency: concurrency.countersFor(call),
      budgets: budgets.countersFor(call),
    };
    cache.set(combination, matched);
    return matched;
  }
  return { ...lists, match };
}

/** The rules of one list, by subject. */
class SubjectIndex<Rule extends LimitRule> {
  readonly #literal = new Map<string, number[]>();
  readonly #globs: number[] = [];
  readonly #rules: readonly Rule[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    rules.forEach((rule, position) => {
      if (!isLiteralGlob(rule.subject)) {
        this.#globs.push(position);
        return;
      }
      const positions = this.#literal.get(rule.subject);
      if (positions === undefined) this.#literal.set(rule.subject, [position]);
      else positions.push(position);
    });
  }

  countersFor(call: LimitedCall): readonly Counter<Rule>[] {
    const positions = new Set(this.#globs);
    for (const subject of call.subjects) {
      for (const position of this.#literal.get(subject) ?? []) positions.add(position);
    }
    const counters: Counter<Rule>[] = [];
    for (const position of [...positions].sort((a, b) => a - b)) {
      const rule = this.#rules[position];
      if (rule === undefined || !appliesTo(rule, call)) continue;
      counters.push(...countersFor(rule, call.subjects));
    }
    return counters;
  }
}

function appliesTo(rule: LimitRule, call: LimitedCall): boolean {
  return (rule.action === '*' || rule.action === call.action) && globMatches(rule.resource, call.target.id);
}

/** The counters of a rule for a caller with these subjects. */
export function countersFor<Rule extends LimitRule>(rule: Rule, subjects: readonly string[]): readonly Counter<Rule>[] {
  return countedSubjects(rule.subject, subjects).map((subject) => ({ rule, subject, key: `${rule.id} ${subject}` }));
}

function countedSubjects(glob: string, subjects: readonly string[]): readonly string[] {
  const matching = subjects.filter((subject) => globMatches(glob, subject));
  const kind = subjectKind(matching[0] ?? '');
  return [...new Set(matching.filter((subject) => subjectKind(subject) === kind))];
}

function subjectKind(subject: string): string {
  return subject.slice(0, subject.indexOf(':'));
}

/** The fields of every row of `limits.yaml`. */
export interface LimitRule {
  /**
   * Digest of kind, subject, resource, action and unit or window. Changing other rows or this row's amounts keeps the id,
   * and so the counts, over a reload.
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

/** A rate: a sustained number of calls per unit, of which `burst` may come at once from rest. */
export interface RateRule extends LimitRule {
  /** As written, such as `600/m`. */
  readonly limit: string;
  readonly burst: number;
  readonly cell: GcraRate;
}

/** A concurrency limit: at most `limit` calls in flight. */
export interface ConcurrencyRule extends LimitRule {
  readonly limit: number;
}

/** A budget: calls, money or both per calendar window. */
export interface BudgetRule extends LimitRule {
  readonly window: CalendarWindow;
  readonly hard: BudgetAmounts;
  /** Share of the hard amounts, in percent, at which a warning is given. */
  readonly softPercent: number;
  /** The smallest charged amounts that cause the warning. */
  readonly soft: BudgetAmounts;
}

/** Amounts of a budget; an absent one is not limited. */
export interface BudgetAmounts {
  readonly calls?: number;
  readonly nanoUsd?: number;
}

/** One counter: a rule applied to one subject. */
export interface Counter<Rule extends LimitRule = LimitRule> {
  readonly rule: Rule;
  /** The counted subject of the call: `agent:x` alone, `role:x` and `team:x` shared by their members. */
  readonly subject: string;
  /** Rule id and subject: the key of its state. */
  readonly key: string;
}

/** Every counter that applies to a call; the strictest decides. */
export interface MatchedLimits {
  readonly rates: readonly Counter<RateRule>[];
  readonly concurrency: readonly Counter<ConcurrencyRule>[];
  readonly budgets: readonly Counter<BudgetRule>[];
}

/** The parts of a call that decide which rules match it. */
export type LimitedCall = Pick<Call, 'subjects' | 'action' | 'target'>;

/** An immutable revision of `limits.yaml`. The counts are kept in the states, not here. */
export interface LimitRules {
  readonly rates: readonly RateRule[];
  readonly concurrency: readonly ConcurrencyRule[];
  readonly budgets: readonly BudgetRule[];
  /**
   * The counters of the rules that match the subjects, target and action of the call, in file order.
   * A rule counts the matching subjects of one kind (`agent`, `role`, `team`), that of the first match: `agent:*` and `*`
   * count per agent, `role:*` counts every role of the agent, `role:x` is one counter for its members.
   */
  match(call: LimitedCall): MatchedLimits;
}
