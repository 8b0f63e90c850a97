import type { Call, CallContext } from '../domain/call.ts';
import type { Exchange } from '../domain/control.ts';
import type { CallOptions, DispatchOptions } from '../domain/mcp/call-options.ts';
import type { ParamHeader } from '../domain/mcp/param-headers.ts';
import type { DispatchResult, InputRequired, Outcome, Refusal } from '../domain/outcome.ts';
import type { Principal } from '../domain/principal.ts';
import type { Reason } from '../domain/reasons.ts';
import type { FeatureKind, ResourceTarget, ViewName } from '../domain/target.ts';
import type { SuspendedCallStore } from '../input-required/suspended-call-store.ts';
import type { DecisionRecord } from '../ledger/call-record.ts';
import type { Ids } from '../lib/ids.ts';
import { errorMessage } from '../lib/text/error-message.ts';
import type { Clock } from '../lib/time.ts';
import type { Log } from '../telemetry/log.ts';
import type {
  Broker,
  CallReply,
  CallRequest,
  FeatureList,
  ListListener,
  MalformedMessage,
  ServerCapabilities,
  SubscribeOptions,
  SubscribeReply,
} from './broker.ts';
import {
  applyFixedArguments,
  type CallState,
  controlsFor,
  costOf,
  DEFAULT_MAX_CALLS,
  indeterminateRefusal,
  isVisible,
  overloadFailureMode,
  rejection,
  resolveTarget,
  safeDispatch,
  toCallReply,
} from './call-state.ts';
import { InputRequiredFlow } from './input-required.ts';
import { ledgerFailureMode, type Recorder } from './recorder.ts';
import { ResourceSubscriptions } from './resource-subscriptions.ts';
import {
  type ControlRun,
  type EvaluatedControl,
  type OnControlFailure,
  runControls,
  settleAll,
} from './run-controls.ts';
import type { Snapshot } from './snapshot.ts';
import { SuspendedCalls } from './suspended-calls.ts';
import { VisibleLists } from './visibility.ts';

/** What the hall needs from the rooms; handed in by `app/`. */
export interface PipelineDeps {
  readonly recorder: Recorder;
  /** The back door. MUST NOT reject for what an upstream does; one that rejects is a defect and the call is in doubt. */
  dispatch(call: Call, options: DispatchOptions): Promise<DispatchResult>;
  /** Tells tool servers that were told of a client's roots that these changed. */
  rootsChanged(principalId: string, session: string): void;
  /** The calls that wait for answers of agents. */
  readonly suspendedCallStore: SuspendedCallStore;
  /** Ends a subscription at the back door. */
  unsubscribe(principalId: string, target: ResourceTarget): void;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Calls that may be under way at one time; those beyond it are refused. Default: 1,024. */
  readonly maxCalls?: number | undefined;
}

/** The hall: walks each call through the chain of the world in force. Judges nothing itself. */
export class CallPipeline implements Broker {
  readonly #deps: PipelineDeps;
  readonly #lists: VisibleLists;
  readonly #listeners = new Set<ListListener>();
  readonly #onFailure: OnControlFailure;
  readonly #inputRequired: InputRequiredFlow;
  readonly #subscriptions: ResourceSubscriptions;
  readonly #suspendedCalls: SuspendedCalls;
  #snapshot: Snapshot;
  #isOpen = true;
  #inFlight = 0;
  #whenIdle: (() => void) | undefined;

  constructor(snapshot: Snapshot, deps: PipelineDeps) {
    this.#snapshot = snapshot;
    this.#deps = deps;
    this.#lists = new VisibleLists(snapshot);
    this.#onFailure = (control, error) => deps.log.error('control.failed', { control, error: errorMessage(error) });
    this.#suspendedCalls = new SuspendedCalls({ ...deps, onFailure: this.#onFailure });
    this.#inputRequired = new InputRequiredFlow({
      ...{ suspendedCallStore: deps.suspendedCallStore, clock: deps.clock, ids: deps.ids },
      dispatch: (call, how) => safeDispatch(deps, call, how),
      runInputRequest: (state) => this.#run(state),
      snapshot: () => this.#snapshot,
    });
    this.#subscriptions = new ResourceSubscriptions({
      snapshot: () => this.#snapshot,
      call: (request, options, rejected) => this.#callUnlessRejected(rejected, request, options),
      unsubscribe: (principalId, target) => deps.unsubscribe(principalId, target),
      onFailure: this.#onFailure,
    });
  }

  /** Puts another world in force for every call received from now on, and tells whose list changed. */
  applySnapshot(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#subscriptions.recheck();
    for (const { principalId, kind, view } of this.#lists.applySnapshot(snapshot)) {
      for (const listener of this.#listeners) listener(principalId, kind, view);
    }
  }

  isViewVisible(principal: Principal, view: ViewName): boolean {
    return this.#lists.isViewVisible(principal, view);
  }

  list(principal: Principal, kind: FeatureKind, view?: ViewName): FeatureList {
    return this.#lists.list(principal, kind, view);
  }

  paramHeaders(exposedName: string, view?: ViewName): readonly ParamHeader[] {
    return this.#lists.paramHeaders(exposedName, view);
  }

  capabilitiesOf(principal: Principal, view?: ViewName): ServerCapabilities {
    return this.#lists.capabilitiesOf(principal, view);
  }

  onListChanged(listener: ListListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async recordMalformed(message: MalformedMessage): Promise<void> {
    const { revision, registry } = this.#snapshot;
    try {
      await this.#deps.recorder.malformed({ ...message, revision, registry });
    } catch (error) {
      this.#deps.log.error('ledger.unavailable', { error: errorMessage(error) });
    }
  }

  rootsChanged({ id }: Principal, { session }: CallContext): void {
    this.#deps.rootsChanged(id, session);
  }

  call(request: CallRequest, options: CallOptions): Promise<CallReply> {
    const isFull = this.#inFlight >= (this.#deps.maxCalls ?? DEFAULT_MAX_CALLS);
    // What belongs to a call that was let in, a question of its server or the answer to it, is not refused halfway.
    return this.#callUnlessRejected(
      isFull && request.resumption === undefined ? overloadFailureMode.result : undefined,
      request,
      options,
    );
  }

  subscribe(request: Omit<CallRequest, 'operation' | 'args'>, options: SubscribeOptions): Promise<SubscribeReply> {
    return this.#subscriptions.subscribe(request, options);
  }

  /** A resource of a server changed that these principals are subscribed to, or may have. */
  resourceUpdated(server: string, uri: string, principalIds: readonly string[]): void {
    this.#subscriptions.notifyUpdated(server, uri, principalIds);
  }

  async #callUnlessRejected(
    rejected: Reason | undefined,
    request: CallRequest,
    options: CallOptions,
  ): Promise<CallReply> {
    const state = this.#receive(request, options);
    return toCallReply(state.call, await this.#run(state, rejected));
  }

  /** Takes no new calls and resolves when the last one under way has ended; those that wait for answers are ended. */
  async drain(): Promise<void> {
    this.#isOpen = false;
    this.#deps.suspendedCallStore.close();
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    await this.#suspendedCalls.flush();
  }

  async #run(state: CallState, rejected?: Reason): Promise<Outcome> {
    this.#inFlight += 1;
    try {
      return await this.#evaluate(state, this.#isOpen ? rejected : 'shutting-down');
    } catch (error) {
      // INVARIANT: call never rejects. What ends here is a defect of the hall itself.
      this.#deps.log.error('call.internal-error', { callId: state.call.id, error: errorMessage(error) });
      return indeterminateRefusal(state, 'walk', 'control-failed');
    } finally {
      if (state.call.resumption !== undefined) this.#deps.suspendedCallStore.releaseClaim(state.call.id);
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#whenIdle?.();
    }
  }

  #receive(request: CallRequest, { signal, clientContext }: CallOptions): CallState {
    const snapshot = this.#snapshot;
    const subjects = snapshot.subjectsOf(request.principal);
    const target = resolveTarget(snapshot, request);
    const { resumption } = request;
    const received: Call = {
      id: this.#deps.ids.uuidv7(),
      principal: request.principal,
      subjects,
      action: request.operation.action,
      target,
      args: request.args,
      context: request.context,
      receivedAtMs: this.#deps.clock.wallMs(),
      resumption,
    };
    const call = this.#suspendedCalls.claim(
      target.kind === 'tool' && target.fixedArguments ? applyFixedArguments(received, target.fixedArguments) : received,
    );
    const controls =
      resumption === undefined
        ? controlsFor(snapshot)
        : { request: snapshot.resumedControls, response: snapshot.responseControls };
    return {
      snapshot,
      call,
      startedMs: this.#deps.clock.monotonicMs(),
      signal,
      clientContext,
      controls,
      send: this.#sendCall,
    };
  }

  async #evaluate(state: CallState, rejected: Reason | undefined): Promise<Outcome> {
    const exchange: Exchange = { call: state.call };
    const run: ControlRun =
      rejected === undefined
        ? await runControls(state.controls.request, exchange, { signal: state.signal, onFailure: this.#onFailure })
        : { steps: [], gathered: [], refusal: rejection(state, rejected) };
    const decided: DecisionRecord = {
      call: state.call,
      steps: run.steps,
      revision: state.snapshot.revision,
      registry: state.snapshot.registry,
    };
    if (run.refusal) return this.#refuse(state, run, decided);
    try {
      await this.#deps.recorder.admitted(decided);
    } catch (error) {
      // No record, no call.
      return this.#refuseUnrecorded(state, run.gathered, error);
    }
    return this.#dispatch(state, run.gathered);
  }

  async #refuse(state: CallState, run: ControlRun, decided: DecisionRecord): Promise<Outcome> {
    const refusal = this.#settleRefused(state, run.gathered, {
      ...(run.refusal as Omit<Refusal, 'visible'>),
      visible: isVisible(state),
    });
    try {
      await this.#deps.recorder.refused(decided, refusal);
    } catch (error) {
      this.#deps.log.error('ledger.unavailable', { error: errorMessage(error) });
      return indeterminateRefusal(state, 'ledger', ledgerFailureMode.result);
    }
    return refusal;
  }

  #refuseUnrecorded(state: CallState, gathered: readonly EvaluatedControl[], error: unknown): Outcome {
    this.#deps.log.error('ledger.unavailable', { error: errorMessage(error) });
    return this.#settleRefused(state, gathered, indeterminateRefusal(state, 'ledger', ledgerFailureMode.result));
  }

  #settleRefused({ call }: CallState, gathered: readonly EvaluatedControl[], refusal: Refusal): Refusal {
    const outcome = this.#suspendedCalls.restoreIfRetryable(call, refusal);
    settleAll(gathered, { call }, { outcome, onFailure: this.#onFailure });
    return outcome;
  }

  async #dispatch(state: CallState, gathered: readonly EvaluatedControl[]): Promise<Outcome> {
    this.#suspendedCalls.resume(state.call);
    const dispatched = await this.#send(state);
    if (dispatched.kind === 'input-required') this.#suspendedCalls.park(state, gathered);
    const result = dispatched.kind === 'completed' ? dispatched.result : undefined;
    // Printed once: what is recorded is what goes out.
    const resultText = result === undefined ? undefined : JSON.stringify(result);
    const exchange: Exchange = result ? { call: state.call, result } : { call: state.call };
    // Member by member: a spread that more is added to makes the engine a new shape for each call.
    let outcome: Outcome =
      dispatched.kind === 'completed' && resultText !== undefined
        ? { kind: 'completed', result: dispatched.result, resultBytes: dispatched.resultBytes, resultText }
        : dispatched;
    let run: ControlRun = { steps: [], gathered: [] };
    if (result) {
      run = await runControls(state.controls.response, exchange, { signal: state.signal, onFailure: this.#onFailure });
      if (run.refusal) outcome = { ...run.refusal, visible: isVisible(state) };
    }
    settleAll([...gathered, ...run.gathered], exchange, { outcome, onFailure: this.#onFailure });
    try {
      await this.#deps.recorder.closed({
        call: state.call,
        steps: run.steps,
        revision: state.snapshot.revision,
        registry: state.snapshot.registry,
        outcome,
        resultText,
        costNanoUsd: costOf(state.call, outcome),
        durationMs: Math.round(this.#deps.clock.monotonicMs() - state.startedMs),
      });
    } catch (error) {
      this.#deps.log.error('ledger.unavailable', { error: errorMessage(error) });
      // The tool server acted, but nobody may be told what the book does not hold.
      const message = 'the outcome of this call could not be recorded; it is in doubt';
      return { kind: 'failed', reason: ledgerFailureMode.result, message, inDoubt: true };
    }
    return outcome;
  }

  async #send(state: CallState): Promise<DispatchResult | InputRequired> {
    if (state.signal.aborted) {
      const message = 'the call was cancelled before it was sent';
      return { kind: 'failed', reason: 'cancelled', message, inDoubt: state.call.resumption !== undefined };
    }
    return state.send(state);
  }

  readonly #sendCall = (state: CallState): Promise<DispatchResult | InputRequired> => this.#inputRequired.send(state);
}
