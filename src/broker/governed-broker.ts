import type { Call, CallContext } from '../domain/call.ts';
import type { Exchange } from '../domain/control.ts';
import type { MirroredArgument } from '../domain/mirrored-arguments.ts';
import type { DispatchResult, InputRequired, Outcome, Refusal } from '../domain/outcome.ts';
import type { Principal } from '../domain/principal.ts';
import type { Reason } from '../domain/reasons.ts';
import type { OfferKind, ResourceTarget } from '../domain/target.ts';
import type { ViewName } from '../domain/view-name.ts';
import type { DecidedAct } from '../ledger/call-record.ts';
import type { Clock } from '../lib/clock.ts';
import type { Ids } from '../lib/ids.ts';
import { thrownText } from '../lib/thrown-text.ts';
import type { Suspensions } from '../questions/suspensions.ts';
import type { Log } from '../telemetry/log.ts';
import { Asking } from './asking.ts';
import type {
  Broker,
  CallOptions,
  CallReply,
  CallRequest,
  DispatchOptions,
  ListListener,
  MalformedMessage,
  OfferList,
  Subscribed,
  SubscribeOptions,
  Surfaces,
} from './broker.ts';
import { DEFAULT_MAX_CALLS, overloadPosture } from './overload.ts';
import { ledgerPosture, type Recorder } from './recorder.ts';
import { ResourceSubscriptions } from './resource-subscriptions.ts';
import { safeDispatch } from './safe-dispatch.ts';
import { Shown } from './shown.ts';
import { type GatheredControl, type OnControlFailure, settleAll, type WalkedRow, walkRow } from './step.ts';
import { WaitingLegs } from './waiting-legs.ts';
import { barredBy, cannotBeDecided, costOf, isVisible, rowsOf, targetOf, told, type Walk, withFixed } from './walk.ts';
import type { World } from './world.ts';

/** What the hall needs from the rooms; handed in by `app/`. */
export interface BrokerParts {
  readonly recorder: Recorder;
  /** The back door. MUST NOT reject for what an upstream does; one that rejects is a defect and the call is in doubt. */
  dispatch(call: Call, options: DispatchOptions): Promise<DispatchResult>;
  /** Tells tool servers that were told of a client's roots that these changed. */
  rootsChanged(principalId: string, session: string): void;
  /** The calls that wait for answers of agents. */
  readonly suspensions: Suspensions;
  /** Ends a subscription at the back door. */
  unsubscribe(principalId: string, target: ResourceTarget): void;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Calls that may be under way at one time; those beyond it are refused. Default: 1,024. */
  readonly maxCalls?: number | undefined;
}

/** The hall: walks each call through the chain of the world in force. Judges nothing itself. */
export class GovernedBroker implements Broker {
  readonly #parts: BrokerParts;
  readonly #shown: Shown;
  readonly #listeners = new Set<ListListener>();
  readonly #onFailure: OnControlFailure;
  readonly #asking: Asking;
  readonly #subscriptions: ResourceSubscriptions;
  readonly #waiting: WaitingLegs;
  #world: World;
  #open = true;
  #underWay = 0;
  #whenIdle: (() => void) | undefined;

  constructor(world: World, parts: BrokerParts) {
    this.#world = world;
    this.#parts = parts;
    this.#shown = new Shown(world);
    this.#onFailure = (control, error) => parts.log.error('control.failed', { control, error: thrownText(error) });
    this.#waiting = new WaitingLegs({ ...parts, onFailure: this.#onFailure });
    this.#asking = new Asking({
      ...{ suspensions: parts.suspensions, clock: parts.clock, ids: parts.ids },
      dispatch: (call, how) => safeDispatch(parts, call, how),
      walk: (walk) => this.#whole(walk),
      world: () => this.#world,
    });
    this.#subscriptions = new ResourceSubscriptions({
      world: () => this.#world,
      walk: (request, options, barred) => this.#callUnless(barred, request, options),
      unsubscribe: (principalId, target) => parts.unsubscribe(principalId, target),
      onFailure: this.#onFailure,
    });
  }

  /** Puts another world in force for every call received from now on, and tells whose list changed. */
  changeWorld(world: World): void {
    this.#world = world;
    this.#subscriptions.recheck();
    for (const { principalId, kind, view } of this.#shown.change(world)) {
      for (const listener of this.#listeners) listener(principalId, kind, view);
    }
  }

  serves(principal: Principal, view: ViewName): boolean {
    return this.#shown.serves(principal, view);
  }

  list(principal: Principal, kind: OfferKind, view?: ViewName): OfferList {
    return this.#shown.list(principal, kind, view);
  }

  mirroredArguments(exposedName: string, view?: ViewName): readonly MirroredArgument[] {
    return this.#shown.mirroredArguments(exposedName, view);
  }

  surfacesOf(principal: Principal, view?: ViewName): Surfaces {
    return this.#shown.surfacesOf(principal, view);
  }

  onListChanged(listener: ListListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async recordMalformed(message: MalformedMessage): Promise<void> {
    const { revision, registry } = this.#world;
    try {
      await this.#parts.recorder.malformed({ ...message, revision, registry });
    } catch (error) {
      this.#parts.log.error('ledger.unavailable', { error: thrownText(error) });
    }
  }

  rootsChanged({ id }: Principal, { session }: CallContext): void {
    this.#parts.rootsChanged(id, session);
  }

  call(request: CallRequest, options: CallOptions): Promise<CallReply> {
    const isFull = this.#underWay >= (this.#parts.maxCalls ?? DEFAULT_MAX_CALLS);
    // What belongs to a call that was let in, a question of its server or the answer to it, is not refused halfway.
    return this.#callUnless(
      isFull && request.resumption === undefined ? overloadPosture.yields : undefined,
      request,
      options,
    );
  }

  subscribe(request: Omit<CallRequest, 'verb' | 'args'>, options: SubscribeOptions): Promise<Subscribed> {
    return this.#subscriptions.subscribe(request, options);
  }

  /** A resource of a server changed that these principals are subscribed to, or may have. */
  resourceUpdated(server: string, uri: string, principalIds: readonly string[]): void {
    this.#subscriptions.updated(server, uri, principalIds);
  }

  async #callUnless(barred: Reason | undefined, request: CallRequest, options: CallOptions): Promise<CallReply> {
    const walk = this.#receive(request, options);
    return told(walk.call, await this.#whole(walk, barred));
  }

  /** Takes no new calls and resolves when the last one under way has ended; those that wait for answers are ended. */
  async drain(): Promise<void> {
    this.#open = false;
    this.#parts.suspensions.close();
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    await this.#waiting.written();
  }

  async #whole(walk: Walk, barred?: Reason): Promise<Outcome> {
    this.#underWay += 1;
    try {
      return await this.#walk(walk, this.#open ? barred : 'shutting-down');
    } catch (error) {
      // INVARIANT: call never rejects. What ends here is a defect of the hall itself.
      this.#parts.log.error('call.broke', { callId: walk.call.id, error: thrownText(error) });
      return cannotBeDecided(walk, 'walk', 'control-failed');
    } finally {
      if (walk.call.resumption !== undefined) this.#parts.suspensions.release(walk.call.id);
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#whenIdle?.();
    }
  }

  #receive(request: CallRequest, { signal, link }: CallOptions): Walk {
    const world = this.#world;
    const subjects = world.subjectsOf(request.principal);
    const target = targetOf(world, request);
    const { resumption } = request;
    const asked: Call = {
      id: this.#parts.ids.uuidv7(),
      principal: request.principal,
      subjects,
      action: request.verb.action,
      target,
      args: request.args,
      context: request.context,
      receivedAtMs: this.#parts.clock.wallMs(),
      resumption,
    };
    const call = this.#waiting.claimed(target.kind === 'tool' && target.fixed ? withFixed(asked, target.fixed) : asked);
    const rows = resumption === undefined ? rowsOf(world) : { request: world.resumedRow, result: world.resultRow };
    return { world, call, startedMs: this.#parts.clock.monotonicMs(), signal, link, rows, send: this.#sendCall };
  }

  async #walk(walk: Walk, barred: Reason | undefined): Promise<Outcome> {
    const exchange: Exchange = { call: walk.call };
    const row: WalkedRow =
      barred === undefined
        ? await walkRow(walk.rows.request, exchange, { signal: walk.signal, onFailure: this.#onFailure })
        : { steps: [], gathered: [], refusal: barredBy(walk, barred) };
    const decided: DecidedAct = {
      call: walk.call,
      steps: row.steps,
      revision: walk.world.revision,
      registry: walk.world.registry,
    };
    if (row.refusal) return this.#refuse(walk, row, decided);
    try {
      await this.#parts.recorder.admitted(decided);
    } catch (error) {
      // No record, no call.
      return this.#withoutRecord(walk, row.gathered, error);
    }
    return this.#dispatch(walk, row.gathered);
  }

  async #refuse(walk: Walk, row: WalkedRow, decided: DecidedAct): Promise<Outcome> {
    const refusal = this.#settleRefused(walk, row.gathered, {
      ...(row.refusal as Omit<Refusal, 'visible'>),
      visible: isVisible(walk),
    });
    try {
      await this.#parts.recorder.refused(decided, refusal);
    } catch (error) {
      this.#parts.log.error('ledger.unavailable', { error: thrownText(error) });
      return cannotBeDecided(walk, 'ledger', ledgerPosture.yields);
    }
    return refusal;
  }

  #withoutRecord(walk: Walk, gathered: readonly GatheredControl[], error: unknown): Outcome {
    this.#parts.log.error('ledger.unavailable', { error: thrownText(error) });
    return this.#settleRefused(walk, gathered, cannotBeDecided(walk, 'ledger', ledgerPosture.yields));
  }

  #settleRefused({ call }: Walk, gathered: readonly GatheredControl[], refusal: Refusal): Refusal {
    const outcome = this.#waiting.refused(call, refusal);
    settleAll(gathered, { call }, { outcome, onFailure: this.#onFailure });
    return outcome;
  }

  async #dispatch(walk: Walk, gathered: readonly GatheredControl[]): Promise<Outcome> {
    this.#waiting.goOn(walk.call);
    const came = await this.#send(walk);
    if (came.kind === 'input-required') this.#waiting.keep(walk, gathered);
    const result = came.kind === 'completed' ? came.result : undefined;
    // Printed once: what is recorded is what goes out.
    const resultText = result === undefined ? undefined : JSON.stringify(result);
    const exchange: Exchange = result ? { call: walk.call, result } : { call: walk.call };
    // Member by member: a spread that more is added to makes the engine a new shape for each call.
    let outcome: Outcome =
      came.kind === 'completed' && resultText !== undefined
        ? { kind: 'completed', result: came.result, resultBytes: came.resultBytes, resultText }
        : came;
    let row: WalkedRow = { steps: [], gathered: [] };
    if (result) {
      row = await walkRow(walk.rows.result, exchange, { signal: walk.signal, onFailure: this.#onFailure });
      if (row.refusal) outcome = { ...row.refusal, visible: isVisible(walk) };
    }
    settleAll([...gathered, ...row.gathered], exchange, { outcome, onFailure: this.#onFailure });
    try {
      await this.#parts.recorder.closed({
        call: walk.call,
        steps: row.steps,
        revision: walk.world.revision,
        registry: walk.world.registry,
        outcome,
        resultText,
        costNanoUsd: costOf(walk.call, outcome),
        durationMs: Math.round(this.#parts.clock.monotonicMs() - walk.startedMs),
      });
    } catch (error) {
      this.#parts.log.error('ledger.unavailable', { error: thrownText(error) });
      // The tool server acted, but nobody may be told what the book does not hold.
      const message = 'the outcome of this call could not be recorded; it is in doubt';
      return { kind: 'failed', reason: ledgerPosture.yields, message, inDoubt: true };
    }
    return outcome;
  }

  async #send(walk: Walk): Promise<DispatchResult | InputRequired> {
    if (walk.signal.aborted) {
      const message = 'the call was cancelled before it was sent';
      return { kind: 'failed', reason: 'cancelled', message, inDoubt: walk.call.resumption !== undefined };
    }
    return walk.send(walk);
  }

  readonly #sendCall = (walk: Walk): Promise<DispatchResult | InputRequired> => this.#asking.send(walk);
}
