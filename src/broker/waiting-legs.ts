import type { Call } from '../domain/call.ts';
import { isOfTheMoment, type Outcome, type Refusal } from '../domain/outcome.ts';
import type { Reason } from '../domain/reasons.ts';
import type { Clock } from '../lib/clock.ts';
import { thrownText } from '../lib/thrown-text.ts';
import type { Suspensions } from '../questions/suspensions.ts';
import type { Log } from '../telemetry/log.ts';
import type { Recorder } from './recorder.ts';
import { type GatheredControl, type OnControlFailure, settleAll } from './step.ts';
import { costOf, type Walk } from './walk.ts';

interface WaitingLeg {
  readonly walk: Walk;
  readonly gathered: readonly GatheredControl[];
}

interface WaitingParts {
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly log: Log;
  readonly suspensions: Suspensions;
  readonly onFailure: OnControlFailure;
}

/**
 * The legs that ended with a question: what they reserved waits for the leg that goes on. Where none does, the call has
 * left all the same, and may have acted: it is charged, and the book says how it ended.
 */
export class WaitingLegs {
  readonly #parts: WaitingParts;
  readonly #legs = new Map<string, WaitingLeg>();
  readonly #writing = new Set<Promise<void>>();

  constructor(parts: WaitingParts) {
    this.#parts = parts;
    parts.suspensions.onAbandoned((legId, reason, message) => this.#end(legId, reason, message));
  }

  /** A call with what is found of the state that it goes on with, where it does. */
  claimed(call: Call): Call {
    const { resumption } = call;
    if (resumption === undefined) return call;
    return { ...call, resumption: { ...resumption, claim: this.#parts.suspensions.claim(call, resumption.state) } };
  }

  keep(walk: Walk, gathered: readonly GatheredControl[]): void {
    this.#legs.set(walk.call.id, { walk, gathered });
  }

  /** The call that goes on was admitted: what the leg before it reserved is its own now. */
  goOn({ resumption }: Call): void {
    if (resumption?.claim?.after !== undefined) this.#legs.delete(resumption.claim.after);
  }

  /** A refusal, once it is settled what becomes of the call that was to go on: where it is one of the moment, it waits on. */
  refused({ id, resumption }: Call, refusal: Refusal): Refusal {
    const mayWaitOn = resumption !== undefined && isOfTheMoment(refusal);
    return mayWaitOn && this.#parts.suspensions.giveBack(id) ? { ...refusal, waitsOn: true } : refusal;
  }

  /** Resolves when the book has heard of all that ended. */
  async written(): Promise<void> {
    await Promise.all(this.#writing);
  }

  #end(legId: string, reason: Reason, message: string): void {
    const leg = this.#legs.get(legId);
    if (leg === undefined) return;
    this.#legs.delete(legId);
    const { call } = leg.walk;
    const outcome: Outcome = { kind: 'failed', reason, message, inDoubt: true };
    settleAll(leg.gathered, { call }, { outcome, onFailure: this.#parts.onFailure });
    const writing = this.#record(leg.walk, outcome).finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  async #record({ call, world, startedMs }: Walk, outcome: Outcome): Promise<void> {
    const { recorder, clock, log } = this.#parts;
    const { revision, registry } = world;
    const durationMs = Math.round(clock.monotonicMs() - startedMs);
    try {
      await recorder.closed({
        ...{ call, steps: [], revision, registry, outcome, durationMs },
        costNanoUsd: costOf(call, outcome),
      });
    } catch (error) {
      log.error('ledger.unavailable', { error: thrownText(error) });
    }
  }
}
