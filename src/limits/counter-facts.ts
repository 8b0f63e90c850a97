import type { Counter } from './limit-rules.ts';

/** What the facts of every limit say of one counter. Made with keys in canonical order, which prints them fastest. */
export type CounterFact = {
  /** Id of the rule. */
  readonly id: string;
  /** `limits.yaml:<line>` when the fact was gathered, for the reader of the ledger. */
  readonly at: string;
  readonly subject: string;
};

/**
 * The fact of a counter; `index` is where it lies when rules and facts are of the same revision.
 * @throws Error when there is none: a limit that was not counted cannot be decided.
 */
export function factFor<Fact extends CounterFact>(facts: readonly Fact[], counter: Counter, index: number): Fact {
  const expected = facts[index];
  if (expected !== undefined && isFactOf(expected, counter)) return expected;
  const match = facts.find((fact) => isFactOf(fact, counter));
  if (match === undefined) throw new Error(`the facts hold no count of ${counter.rule.at} for ${counter.subject}`);
  return match;
}

/** Refuses facts of rules that these rules do not know. @throws Error naming the first. */
export function requireKnownFacts(facts: readonly CounterFact[], counters: readonly Counter[]): void {
  if (facts.length === counters.length) return;
  for (const fact of facts) {
    if (!counters.some((counter) => isFactOf(fact, counter))) {
      throw new Error(`the facts count the rule ${fact.id} for ${fact.subject}, which does not apply here`);
    }
  }
  if (facts.length > counters.length) throw new Error('the facts count one rule twice');
}

function isFactOf(fact: CounterFact, counter: Counter): boolean {
  return fact.id === counter.rule.id && fact.subject === counter.subject;
}
