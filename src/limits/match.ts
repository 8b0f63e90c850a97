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
const REMEMBERED = 8_192;

/** Builds the immutable rules with their index: literal subjects by lookup, globs by scan, both only once per combination. */
export function limitRules(lists: {
  readonly rates: readonly RateRule[];
  readonly concurrency: readonly ConcurrencyRule[];
  readonly budgets: readonly BudgetRule[];
}): LimitRules {
  const rates = new SubjectIndex(lists.rates);
  const concurrency = new SubjectIndex(lists.concurrency);
  const budgets = new SubjectIndex(lists.budgets);
  const remembered = new Map<string, MatchedLimits>();

  // A call asks several times in a row, once per control and step: its own parts answer without building the key.
  let last: LimitedCall | undefined;
  let lastMatched: MatchedLimits | undefined;

  function matching(call: LimitedCall): MatchedLimits {
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
    lastMatched = lookUp(call);
    return lastMatched;
  }

  function lookUp(call: LimitedCall): MatchedLimits {
    const combination = `${call.target.id}\n${call.action}\n${call.subjects.join('\n')}`;
    const known = remembered.get(combination);
    if (known !== undefined) return known;
    const matched = {
      rates: rates.countersOf(call),
      concurrency: concurrency.countersOf(call),
      budgets: budgets.countersOf(call),
    };
    if (remembered.size >= REMEMBERED) {
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest);
        break;
      }
    }
    remembered.set(combination, matched);
    return matched;
  }
  return { ...lists, matching };
}

/** The rules of one list by their subject. */
class SubjectIndex<Rule extends LimitRule> {
  readonly #literal = new Map<string, number[]>();
  readonly #globs: number[] = [];
  readonly #rules: readonly Rule[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    rules.forEach((rule, place) => {
      if (!isLiteralGlob(rule.subject)) {
        this.#globs.push(place);
        return;
      }
      const places = this.#literal.get(rule.subject);
      if (places === undefined) this.#literal.set(rule.subject, [place]);
      else places.push(place);
    });
  }

  countersOf(call: LimitedCall): readonly Counter<Rule>[] {
    const places = new Set(this.#globs);
    for (const subject of call.subjects) {
      for (const place of this.#literal.get(subject) ?? []) places.add(place);
    }
    const counters: Counter<Rule>[] = [];
    for (const place of [...places].sort((a, b) => a - b)) {
      const rule = this.#rules[place];
      if (rule === undefined || !appliesTo(rule, call)) continue;
      counters.push(...countersOf(rule, call.subjects));
    }
    return counters;
  }
}

function appliesTo(rule: LimitRule, call: LimitedCall): boolean {
  return (rule.action === '*' || rule.action === call.action) && globMatches(rule.resource, call.target.id);
}

/** The counters that a rule keeps for one who is all of these subjects. */
export function countersOf<Rule extends LimitRule>(rule: Rule, subjects: readonly string[]): readonly Counter<Rule>[] {
  return countedSubjects(rule.subject, subjects).map((subject) => ({ rule, subject, key: `${rule.id} ${subject}` }));
}

function countedSubjects(glob: string, subjects: readonly string[]): readonly string[] {
  const matched = subjects.filter((subject) => globMatches(glob, subject));
  const kind = kindOf(matched[0] ?? '');
  return [...new Set(matched.filter((subject) => kindOf(subject) === kind))];
}

function kindOf(subject: string): string {
  return subject.slice(0, subject.indexOf(':'));
}
