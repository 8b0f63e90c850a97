import type { Control, Exchange } from '../domain/control.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import { allow, deny, type Verdict } from '../domain/verdict.ts';
import { type Clock, formatDuration } from '../lib/time.ts';
import { type CounterFact, factFor, requireKnownFacts } from './counter-facts.ts';
import { aheadUsAt, nextTatUs, waitUsFor } from './gcra.ts';
import type { Counter, LimitRules, RateRule } from './limit-rules.ts';

export const rateFailureMode: FailureMode<'rate-exceeded'> = {
  control: 'rate',
  trigger: 'a matching rate is used up',
  result: 'rate-exceeded',
  override: 'no row of `policies/limits.yaml` that matches',
};

/** Per rate: microseconds by which its counter was ahead of the sustained rate before the call; 0 is at rest. */
export type RateFacts = { readonly rules: readonly RateFact[] };
export type RateFact = CounterFact & { readonly aheadUs: number };

/**
 * The control `rate`: every matching rate must admit the call, or none is charged. An admitted call stays charged
 * whatever later controls decide. A refused call is not charged, so an agent that retries too fast is slowed to its rate
 * and not locked out. Uses the monotonic clock: setting the calendar clock gives no extra calls.
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
  const message = `the rate of ${limit} calls (burst ${burst}) is used up; try again in ${formatDuration(retryAfterMs)}`;
  return deny(rateFailureMode.result, message, { rule: at, retryAfterMs });
}

/** The refusing rate with the longest wait; undefined when all admit. */
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

/** The control throws, and the pipeline refuses the call. */
export const rateStoreFailureMode: FailureMode<'control-failed'> = {
  control: 'rate store',
  trigger: 'all counters are in use',
  result: 'control-failed',
  override: null,
};

/** Default number of counters; each is one rule for one subject. */
const DEFAULT_CAPACITY = 65_536;

/** The counters of all rates, kept over reloads of the rules. Times are microseconds of the monotonic clock. */
export interface RateState {
  /** The theoretical arrival time stored under `key`; undefined when the counter is at rest. */
  tatUs(key: string): number | undefined;
  /**
   * Makes room for the counters by evicting those at rest at `nowUs`, and no others.
   * @throws Error when none is at rest: evicting a live counter would admit its calls a second time.
   */
  evictExpired(counters: readonly { readonly key: string }[], nowUs: number): void;
  set(key: string, tatUs: number): void;
  readonly size: number;
}

/** Makes a state in memory with at most `capacity` counters. */
export function createRateState(options: { readonly capacity?: number } = {}): RateState {
  const capacity = options.capacity ?? DEFAULT_CAPACITY;
  const tats = new Map<string, number>();
  // A sweep that frees nothing is not repeated before the first counter can be at rest.
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
      // Count again: the sweep may have evicted counters of this call.
      if (tats.size + missing(counters) > capacity) throw new Error(`all ${capacity} rate counters are in use`);
    },
    set(key, tatUs) {
      // A counter added after the sweep may be at rest before every counter that the sweep saw.
      if (tatUs < nextExpiryUs) nextExpiryUs = tatUs;
      tats.set(key, tatUs);
    },
    get size() {
      return tats.size;
    },
  };
}
