import type { Counter } from './limit-rules.ts';

/** The part of a fact that every limit records. Built with keys in canonical order, which serializes fastest. */
export type CounterFact = {
  /** Id of the rule, see `LimitRule.id`. */
  readonly id: string;
  /** `limits.yaml:<line>` at the time of the call, for readers of the ledger. */
  readonly at: string;
  readonly subject: string;
};

/**
 * The fact of a counter. `index` is its position when rules and facts are of the same revision.
 * @throws Error when there is none: a limit without a recorded count cannot be decided.
 */
export function factFor<Fact extends CounterFact>(facts: readonly Fact[], counter: Counter, index: number): Fact {
  const expected = facts[index];
  if (expected !== undefined && isFactOf(expected, counter)) return expected;
  const match = facts.find((fact) => isFactOf(fact, counter));
  if (match === undefined) throw new Error(`the facts lack the count of ${counter.rule.at} for ${counter.subject}`);
  return match;
}

/** Checks that every fact belongs to one of `counters`. @throws Error that names the first that does not. */
export function requireKnownFacts(facts: readonly CounterFact[], counters: readonly Counter[]): void {
  if (facts.length === counters.length) return;
  for (const fact of facts) {
    if (!counters.some((counter) => isFactOf(fact, counter))) {
      throw new Error(`the facts count the rule ${fact.id} for ${fact.subject}, which does not apply to this call`);
    }
  }
  if (facts.length > counters.length) throw new Error('the facts count a rule twice');
}

function isFactOf(fact: CounterFact, counter: Counter): boolean {
  return fact.id === counter.rule.id && fact.subject === counter.subject;
}
