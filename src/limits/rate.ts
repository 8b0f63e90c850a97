import type { Control, Exchange } from '../domain/control.ts';
import type { FailureMode } from '../domain/posture.ts';
import { allow, deny, type Verdict } from '../domain/verdict.ts';
import type { Clock } from '../lib/clock.ts';
import { type CounterFact, factFor, requireKnownFacts } from './counter-facts.ts';
import { aheadUsAt, nextTatUs, waitUsFor } from './gcra.ts';
import type { Counter, LimitRules, RateRule } from './limit-rule.ts';
import type { RateState } from './rate-state.ts';

export const rateFailureMode: FailureMode<'rate-exceeded'> = {
  control: 'rate',
  trigger: 'one rate that matches admits no more calls now',
  result: 'rate-exceeded',
  override: 'no row of `policies/limits.yaml` that matches',
};

/** Per rate: how many microseconds its counter was ahead of the even pace before the call; 0 is at rest. */
export type RateFacts = { readonly rules: readonly RateFact[] };
export type RateFact = CounterFact & { readonly aheadUs: number };

/**
 * The control `rate`: every rate that matches must admit the call, or none is charged. An admitted call is charged
 * whatever later controls say, and never given back. A refused call is not charged: an agent that hammers is held to
 * its rate and not locked out. Time is the monotonic clock alone, so that setting the calendar clock gives nothing.
 */
export function rateControl(rules: LimitRules, state: RateState, clock: Clock): Control<RateFacts> {
  return {
    name: 'rate',
    gather: ({ call }) => {
      const counters = rules.match(call).rates;
      const nowUs = Math.floor(clock.monotonicMs() * 1_000);
      const facts = { rules: counters.map((counter) => readFact(counter, state, nowUs)) };
      if (counters.length > 0 && strictest(counters, facts) === undefined) charge(counters, facts, { state, nowUs });
      return facts;
    },
    decide: (exchange, facts) => decideRate(rules, exchange, facts),
  };
}

function readFact(counter: Counter<RateRule>, state: RateState, nowUs: number): RateFact {
  const aheadUs = aheadUsAt(state.tatUs(counter.key), nowUs);
  return { aheadUs, at: counter.rule.at, id: counter.rule.id, subject: counter.subject };
}

function charge(
  counters: readonly Counter<RateRule>[],
  facts: RateFacts,
  at: { readonly state: RateState; readonly nowUs: number },
): void {
  at.state.evictExpired(counters, at.nowUs);
  for (let index = 0; index < counters.length; index += 1) {
    const counter = counters[index] as Counter<RateRule>;
    const { aheadUs } = factFor(facts.rules, counter, index);
    at.state.set(counter.key, nextTatUs(counter.rule.cell, aheadUs, at.nowUs));
  }
}

function decideRate(rules: LimitRules, { call }: Exchange, facts: RateFacts): Verdict {
  const counters = rules.match(call).rates;
  requireKnownFacts(facts.rules, counters);
  const refusing = strictest(counters, facts);
  if (refusing === undefined) return allow();
  const retryAfterMs = Math.ceil(refusing.waitUs / 1_000);
  const { limit, burst, at } = refusing.rule;
  const message = `the rate of ${limit} calls (burst ${burst}) is used up; try again in ${retryAfterMs} ms`;
  return deny(rateFailureMode.result, message, { rule: at, retryAfterMs });
}

/** The refusing rate that asks for the longest wait; undefined when all admit. */
function strictest(
  counters: readonly Counter<RateRule>[],
  facts: RateFacts,
): { readonly rule: RateRule; readonly waitUs: number } | undefined {
  let rule: RateRule | undefined;
  let waitUs = 0;
  for (let index = 0; index < counters.length; index += 1) {
    const counter = counters[index] as Counter<RateRule>;
    const wait = waitUsFor(counter.rule.cell, factFor(facts.rules, counter, index).aheadUs);
    if (wait > waitUs) {
      waitUs = wait;
      rule = counter.rule;
    }
  }
  return rule === undefined ? undefined : { rule, waitUs };
}
