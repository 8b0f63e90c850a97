import type { CancelSignal } from '../lib/cancellation.ts';
import type { JsonObject } from '../lib/json/json.ts';
import type { Call } from './call.ts';
import type { Outcome } from './outcome.ts';
import type { ControlName, Verdict } from './verdict.ts';

/** Input of a control: the call, and for response controls its result. */
export interface Exchange {
  readonly call: Call;
  readonly result?: JsonObject;
}

/**
 * One check of the pipeline. A control is built for one policy set and one catalog. It reads what changes between calls
 * (counters, clocks) in `gather`, never in `decide`.
 */
export interface Control<Facts extends JsonObject = JsonObject> {
  readonly name: ControlName;
  /**
   * Reads facts and MAY reserve. MUST return small JSON without secrets and personal data. MUST leave nothing reserved
   * when it throws. Returns a promise only if it has to wait.
   */
  gather(exchange: Exchange, options: { readonly signal: CancelSignal }): Facts | Promise<Facts>;
  /**
   * Decides from the facts, the principal and what an entry records of the call. Pure and synchronous: replay calls it
   * again with the recorded facts, and then arguments, labels, costs and schemas are empty.
   */
  decide(exchange: Exchange, facts: Facts): Verdict;
  /**
   * Runs once for every control that gathered facts, in reverse order, whatever the outcome. After `input-required` it
   * runs a second time, with the final outcome, if no retry resumes the call.
   */
  settle?(exchange: Exchange, facts: Facts, outcome: Outcome): void;
}
