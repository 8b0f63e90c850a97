import { globMatches, isLiteralGlob } from '../lib/glob.ts';
import type {
  BudgetRule,
  ConcurrencyRule,
  Counter,
  LimitedCall,
  LimitRule,
  LimitRules,
  MatchedLimits,
  RateRule,
} from './limit-rule.ts';

/** How many (subjects, action, target) combinations are remembered; the oldest is forgotten first. */
const MATCH_CACHE_SIZE = 8_192;

/** Builds the immutable rules with their index: literal subjects by lookup, globs by scan, both only once per combination. */
export function createLimitRules(lists: {
  readonly rates: readonly RateRule[];
  readonly concurrency: readonly ConcurrencyRule[];
  readonly budgets: readonly BudgetRule[];
}): LimitRules {
  const rates = new SubjectIndex(lists.rates);
  const concurrency = new SubjectIndex(lists.concurrency);
  const budgets = new SubjectIndex(lists.budgets);
  const cache = new Map<string, MatchedLimits>();

  // A call asks several times in a row, once per control and step: its own parts answer without building the key.
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
    if (cache.size >= MATCH_CACHE_SIZE) {
      for (const oldest of cache.keys()) {
        cache.delete(oldest);
        break;
      }
    }
    cache.set(combination, matched);
    return matched;
  }
  return { ...lists, match };
}

/** The rules of one list by their subject. */
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

/** The counters that a rule keeps for one who is all of these subjects. */
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
