import type { CancelSignal } from '../lib/cancellation.ts';
import type { JsonObject } from '../lib/json/json.ts';
import type { Call } from './call.ts';
import type { Outcome } from './outcome.ts';
import type { ControlName, Verdict } from './verdict.ts';

/** What a control looks at: the call, and in the result row what came back. */
export interface Exchange {
  readonly call: Call;
  readonly result?: JsonObject;
}

/**
 * One link of the chain. A control is built for one policy set and one catalog; what changes between calls
 * (counters, clocks) it reads in `gather` and never in `decide`.
 */
export interface Control<Facts extends JsonObject = JsonObject> {
  readonly name: ControlName;
  /**
   * Reads the world and MAY reserve. MUST return small JSON without secrets and without personal data. Stays
   * synchronous where nothing has to be waited for. MUST leave nothing reserved when it throws.
   */
  gather(exchange: Exchange, options: { readonly signal: CancelSignal }): Facts | Promise<Facts>;
  /** Pure and synchronous. Replay calls it again with the recorded facts. */
  decide(exchange: Exchange, facts: Facts): Verdict;
  /**
   * Runs exactly once, in reverse order, for every control that gathered, whatever the outcome; of a call that
   * waits (`input-required`) once more, with how it ended, where no other call goes on with it.
   */
  settle?(exchange: Exchange, facts: Facts, outcome: Outcome): void;
}
