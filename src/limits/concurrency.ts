import type { Control, Exchange } from '../domain/control.ts';
import type { FailureMode } from '../domain/failure-mode.ts';
import { allow, deny, type Verdict } from '../domain/verdict.ts';
import { type CounterFact, factFor, requireKnownFacts } from './counter-facts.ts';
import type { ConcurrencyRule, Counter, LimitRules } from './limit-rules.ts';

export const concurrencyFailureMode: FailureMode<'concurrency-exceeded'> = {
  control: 'concurrency',
  trigger: 'as many calls as one limit that matches admits are under way',
  result: 'concurrency-exceeded',
  override: 'no row of `policies/limits.yaml` that matches',
};

/** Per concurrency limit: how many calls were under way before this one. */
export type ConcurrencyFacts = {
  readonly rules: readonly ConcurrencyFact[];
  /** Only where the slots are those of the leg before. */
  readonly carried?: true;
};
export type ConcurrencyFact = CounterFact & { readonly inUse: number };

const CARRIED_FACTS: ConcurrencyFacts = Object.freeze({ rules: [], carried: true });
const NO_FACTS: ConcurrencyFacts = Object.freeze({ rules: [] });

/**
 * The control `concurrency`: takes one slot of every limit that matches, or none. `settle` gives the slots back,
 * however the call ended; while it waits for an answer it keeps them, for the leg that goes on. A leg that is refused only
 * for now gives them back to the one before.
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
  const message = `${full.limit} calls at one time are allowed, and as many are under way; wait for one of them to end`;
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

/** The slots taken. Outlives every revision of the rules; holds nothing for calls that have ended. */
export interface ConcurrencyState {
  /** How many calls hold a slot under `key`. */
  inUse(key: string): number;
  /** Takes one slot under each key. @throws Error when the call already holds slots. */
  acquire(callId: string, keys: readonly string[]): void;
  /** Makes what one call holds another's, which goes on with it. False when the one holds nothing. */
  carry(fromId: string, toId: string): boolean;
  /** Gives back what the call holds. Does nothing when it holds nothing, so that giving back twice gives back once. */
  release(callId: string): void;
}

/** Slots in memory: as many counters as calls under way have, at most. */
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
