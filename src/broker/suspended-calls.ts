import type { Call } from '../domain/call.ts';
import type { ClientContext, LogLevel } from '../domain/mcp/client-context.ts';
import { isRetryable, type Outcome, type Refusal } from '../domain/outcome.ts';
import type { Reason } from '../domain/reasons.ts';
import type { SuspendedCallStore } from '../input-required/suspended-call-store.ts';
import type { JsonObject } from '../lib/json/json.ts';
import { errorMessage } from '../lib/text/error-message.ts';
import type { Clock } from '../lib/time.ts';
import type { Log } from '../telemetry/log.ts';
import { type CallState, costOf } from './call-state.ts';
import type { Recorder } from './recorder.ts';
import { type EvaluatedControl, type OnControlFailure, settleAll } from './run-controls.ts';

interface SuspendedRound {
  readonly state: CallState;
  readonly gathered: readonly EvaluatedControl[];
}

interface SuspendedCallsDeps {
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly suspendedCallStore: SuspendedCallStore;
  readonly onFailure: OnControlFailure;
}

/**
 * The legs that ended with a question: what they reserved waits for the leg that goes on. Where none does, the call has
 * left all the same, and may have acted: it is charged, and the book says how it ended.
 */
export class SuspendedCalls {
  readonly #deps: SuspendedCallsDeps;
  readonly #rounds = new Map<string, SuspendedRound>();
  readonly #pendingWrites = new Set<Promise<void>>();

  constructor(deps: SuspendedCallsDeps) {
    this.#deps = deps;
    deps.suspendedCallStore.onAbandoned((roundId, reason, message) => this.#end(roundId, reason, message));
  }

  /** A call with what is found of the state that it goes on with, where it does. */
  claim(call: Call): Call {
    const { resumption } = call;
    if (resumption === undefined) return call;
    return {
      ...call,
      resumption: { ...resumption, stateCheck: this.#deps.suspendedCallStore.claim(call, resumption.state) },
    };
  }

  park(state: CallState, gathered: readonly EvaluatedControl[]): void {
    this.#rounds.set(state.call.id, { state, gathered });
  }

  /** The call that goes on was admitted: what the leg before it reserved is its own now. */
  resume({ resumption }: Call): void {
    if (resumption?.stateCheck?.previousRoundId !== undefined)
      this.#rounds.delete(resumption.stateCheck.previousRoundId);
  }

  /** A refusal, once it is settled what becomes of the call that was to go on: where it is one of the moment, it waits on. */
  restoreIfRetryable({ id, resumption }: Call, refusal: Refusal): Refusal {
    const canRestore = resumption !== undefined && isRetryable(refusal);
    return canRestore && this.#deps.suspendedCallStore.unclaim(id) ? { ...refusal, stillPending: true } : refusal;
  }

  /** Resolves when the book has heard of all that ended. */
  async flush(): Promise<void> {
    await Promise.all(this.#pendingWrites);
  }

  #end(roundId: string, reason: Reason, message: string): void {
    const round = this.#rounds.get(roundId);
    if (round === undefined) return;
    this.#rounds.delete(roundId);
    const { call } = round.state;
    const outcome: Outcome = { kind: 'failed', reason, message, inDoubt: true };
    settleAll(round.gathered, { call }, { outcome, onFailure: this.#deps.onFailure });
    const write = this.#record(round.state, outcome).finally(() => this.#pendingWrites.delete(write));
    this.#pendingWrites.add(write);
  }

  async #record({ call, snapshot, startedMs }: CallState, outcome: Outcome): Promise<void> {
    const { recorder, clock, log } = this.#deps;
    const { revision, registry } = snapshot;
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    try {
      await recorder.closed({
        ...{ call, steps: [], revision, registry, outcome, durationMs },
        costNanoUsd: costOf(call, outcome),
      });
    } catch (error) {
      log.error('ledger.unavailable', { error: errorMessage(error) });
    }
  }
}

/**
 * The agent's side of a call that goes on over several requests: what the tool server tells meanwhile goes with the
 * request that is open, and nowhere between two of them. What was wished for is what the first of them said.
 */
export class RoundClientContext implements ClientContext {
  readonly capabilities: JsonObject;
  readonly logLevel: LogLevel | undefined;
  readonly wantsProgress: boolean;
  #current: ClientContext | undefined;

  constructor(first: ClientContext) {
    this.capabilities = first.capabilities;
    this.logLevel = first.logLevel;
    this.wantsProgress = first.wantsProgress;
  }

  /** From now on `link` is the one that is open; undefined where none is. */
  follow(client: ClientContext | undefined): void {
    this.#current = client;
  }

  progress(params: JsonObject): boolean {
    return this.#current?.progress(params) ?? false;
  }

  log(params: JsonObject): boolean {
    return this.#current?.log(params) ?? false;
  }
}
