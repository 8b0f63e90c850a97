import type { Control, Exchange } from '../domain/control.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import { allow, deny, type Verdict } from '../domain/verdict.ts';
import type { Clock } from '../lib/time.ts';
import { type CounterFact, factFor, requireKnownFacts } from './counter-facts.ts';
import { aheadUsAt, nextTatUs, waitUsFor } from './gcra.ts';
import type { Counter, LimitRules, RateRule } from './limit-rules.ts';

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

/** The control throws then, and the walk refuses what a control throws at. */
export const rateStoreFailureMode: FailureMode<'control-failed'> = {
  control: 'rate store',
  trigger: 'there is no room for another counter',
  result: 'control-failed',
  override: null,
};

/** How many counters are kept by default; each is one rule for one subject. */
const DEFAULT_CAPACITY = 65_536;

/** The counters of all rates. Outlives every revision of the rules. Times are microseconds of the monotonic clock. */
export interface RateState {
  /** The theoretical arrival time kept under `key`; undefined when the counter is at rest. */
  tatUs(key: string): number | undefined;
  /**
   * Makes sure that the counters fit, by forgetting counters that are back at rest at `nowUs` and no others.
   * @throws Error when all are live: forgetting one would give its calls away a second time.
   */
  evictExpired(counters: readonly { readonly key: string }[], nowUs: number): void;
  set(key: string, tatUs: number): void;
  readonly size: number;
}

/** Counters in memory, at most `capacity` of them. */
export function createRateState(options: { readonly capacity?: number } = {}): RateState {
  const capacity = options.capacity ?? DEFAULT_CAPACITY;
  const tats = new Map<string, number>();
  // A full sweep that frees nothing is not repeated before the first counter can have come to rest.
  let nextExpiryUs = Number.NEGATIVE_INFINITY;

  function sweep(nowUs: number): void {
    if (nowUs < nextExpiryUs) return;
    let earliest = Number.POSITIVE_INFINITY;
    for (const [key, tatUs] of tats) {
      if (tatUs <= nowUs) tats.delete(key);
      else if (tatUs < earliest) earliest = tatUs;
    }
    nextExpiryUs = earliest;
  }

  function missing(counters: readonly { readonly key: string }[]): number {
    let count = 0;
    for (const { key } of counters) if (!tats.has(key)) count += 1;
    return count;
  }

  return {
    tatUs: (key) => tats.get(key),
    evictExpired(counters, nowUs) {
      if (tats.size + missing(counters) <= capacity) return;
      sweep(nowUs);
      // Counted again: the sweep may have forgotten resting counters of this very call.
      if (tats.size + missing(counters) > capacity) throw new Error(`all ${capacity} rate counters are in use`);
    },
    set(key, tatUs) {
      // A counter added after the sweep may come to rest before every counter that the sweep saw.
      if (tatUs < nextExpiryUs) nextExpiryUs = tatUs;
      tats.set(key, tatUs);
    },
    get size() {
      return tats.size;
    },
  };
}
