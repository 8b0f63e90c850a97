import type { Control, Exchange } from '../domain/control.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import { allow, deny, type Verdict } from '../domain/verdict.ts';
import { type CounterFact, factFor, requireKnownFacts } from './counter-facts.ts';
import type { ConcurrencyRule, Counter, LimitRules } from './limit-rules.ts';

export const concurrencyFailureMode: FailureMode<'concurrency-exceeded'> = {
  control: 'concurrency',
  trigger: 'a matching limit has as many calls in flight as it admits',
  result: 'concurrency-exceeded',
  override: 'no row of `policies/limits.yaml` that matches',
};

/** Per concurrency limit: the calls in flight before this one. */
export type ConcurrencyFacts = {
  readonly rules: readonly ConcurrencyFact[];
  /** Present when the call took over the slots of the previous round. */
  readonly carried?: true;
};
export type ConcurrencyFact = CounterFact & { readonly inUse: number };

const CARRIED_FACTS: ConcurrencyFacts = Object.freeze({ rules: [], carried: true });
const NO_FACTS: ConcurrencyFacts = Object.freeze({ rules: [] });

/**
 * The control `concurrency`: takes one slot of every matching limit, or none. `settle` releases the slots whatever the
 * outcome. A suspended call keeps them for the next round, which takes them over; a round that is refused while the call
 * stays pending hands them back.
 */
export function concurrencyControl(rules: LimitRules, state: ConcurrencyState): Control<ConcurrencyFacts> {
  return {
    name: 'concurrency',
    gather: ({ call }) => {
      const after = call.resumption?.stateCheck?.previousRoundId;
      if (after !== undefined && state.carry(after, call.id)) return CARRIED_FACTS;
      const counters = rules.match(call).concurrency;
      if (counters.length === 0) return NO_FACTS;
      const facts = { rules: counters.map((counter) => readFact(counter, state)) };
      if (firstFull(counters, facts) === undefined) {
        state.acquire(
          call.id,
          counters.map((counter) => counter.key),
        );
      }
      return facts;
    },
    decide: (exchange, facts) => decideConcurrency(rules, exchange, facts),
    settle: ({ call }, { carried }, outcome) => {
      if (outcome.kind === 'input-required') return;
      const after = call.resumption?.stateCheck?.previousRoundId;
      if (carried && after !== undefined && outcome.kind === 'refused' && outcome.stillPending)
        state.carry(call.id, after);
      else state.release(call.id);
    },
  };
}

function readFact(counter: Counter<ConcurrencyRule>, state: ConcurrencyState): ConcurrencyFact {
  return { at: counter.rule.at, id: counter.rule.id, inUse: state.inUse(counter.key), subject: counter.subject };
}

function decideConcurrency(rules: LimitRules, { call }: Exchange, facts: ConcurrencyFacts): Verdict {
  if (facts.carried) return allow();
  const counters = rules.match(call).concurrency;
  requireKnownFacts(facts.rules, counters);
  const full = firstFull(counters, facts);
  if (full === undefined) return allow();
  const limit = `${full.limit} concurrent ${full.limit === 1 ? 'call' : 'calls'}`;
  const message = `the limit of ${limit} is reached; try again when a call has ended`;
  return deny(concurrencyFailureMode.result, message, { rule: full.at });
}

function firstFull(
  counters: readonly Counter<ConcurrencyRule>[],
  facts: ConcurrencyFacts,
): ConcurrencyRule | undefined {
  let full: ConcurrencyRule | undefined;
  for (const [index, counter] of counters.entries()) {
    if (factFor(facts.rules, counter, index).inUse >= counter.rule.limit) full ??= counter.rule;
  }
  return full;
}

/** The slots in use, kept over reloads of the rules. Holds nothing for calls that have ended. */
export interface ConcurrencyState {
  /** Number of calls that hold a slot under `key`. */
  inUse(key: string): number;
  /** Takes one slot under each key. @throws Error when the call already holds slots. */
  acquire(callId: string, keys: readonly string[]): void;
  /** Transfers the slots of one call to another. False when the first holds none. */
  carry(fromId: string, toId: string): boolean;
  /** Releases the slots of the call. Does nothing when it holds none, so a second release is harmless. */
  release(callId: string): void;
}

/** Makes a state in memory. */
export function createConcurrencyState(): ConcurrencyState {
  const counts = new Map<string, number>();
  const keysByCall = new Map<string, readonly string[]>();
  return {
    inUse: (key) => counts.get(key) ?? 0,
    acquire(callId, keys) {
      if (keysByCall.has(callId)) throw new Error(`the call ${callId} already holds its slots`);
      keysByCall.set(callId, keys);
      for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    carry(fromId, toId) {
      const keys = keysByCall.get(fromId);
      if (keys === undefined) return false;
      keysByCall.delete(fromId);
      keysByCall.set(toId, keys);
      return true;
    },
    release(callId) {
      for (const key of keysByCall.get(callId) ?? []) {
        const left = (counts.get(key) ?? 0) - 1;
        if (left > 0) counts.set(key, left);
        else counts.delete(key);
      }
      keysByCall.delete(callId);
    },
  };
}
