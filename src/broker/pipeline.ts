import type { Call, CallContext } from '../domain/call.ts';
import type { Exchange } from '../domain/control.ts';
import type { CallOptions } from '../domain/mcp/call-options.ts';
import type { DispatchResult, InputRequired, Outcome, Refusal } from '../domain/outcome.ts';
import { isRetryable } from '../domain/outcome.ts';
import type { Principal } from '../domain/principal.ts';
import type { Reason } from '../domain/reasons.ts';
import type { EndCause } from '../input-required/suspended-call.ts';
import {
  DEFAULT_SUSPENDED_CALL_LIMITS,
  type SuspendedCallLimits,
  SuspendedCallStore,
} from '../input-required/suspended-call-store.ts';
import type { DecisionRecord } from '../ledger/call-record.ts';
import type { Ids } from '../lib/ids.ts';
import { errorMessage } from '../lib/text/error-message.ts';
import type { Clock } from '../lib/time.ts';
import type { Log } from '../telemetry/log.ts';
import type {
  Broker,
  CallReply,
  CallRequest,
  ListListener,
  MalformedMessage,
  SubscribeOptions,
  SubscribeReply,
} from './broker.ts';
import {
  applyFixedArguments,
  type CallState,
  controlsFor,
  costOf,
  DEFAULT_MAX_CALLS,
  failedDispatch,
  indeterminateRefusal,
  isVisible,
  overloadFailureMode,
  rejection,
  resolveTarget,
  type SuspendedRound,
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
import type { Upstreams } from './upstreams.ts';
import { VisibleLists } from './visible-lists.ts';

/** Services of the pipeline, passed in by `app/`. */
export interface PipelineDeps {
  readonly recorder: Recorder;
  readonly upstreams: Upstreams;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Default of each member: `DEFAULT_SUSPENDED_CALL_LIMITS`. */
  readonly suspendedCallLimits?: Partial<SuspendedCallLimits> | undefined;
  /** Most calls in flight; a call beyond it is refused. Default: 1,024. */
  readonly maxCalls?: number | undefined;
}

/** Runs each call through the controls of the snapshot in force, dispatches, settles and records it. It decides nothing itself. */
export class CallPipeline implements Broker {
  readonly visibleLists: VisibleLists;
  readonly #deps: PipelineDeps;
  readonly #listeners = new Set<ListListener>();
  readonly #onFailure: OnControlFailure;
  readonly #suspendedCalls: SuspendedCallStore<SuspendedRound>;
  readonly #inputRequired: InputRequiredFlow;
  readonly #subscriptions: ResourceSubscriptions;
  /** Second closings of suspended rounds that are not durable yet. */
  readonly #pendingWrites = new Set<Promise<void>>();
  #snapshot: Snapshot;
  #isOpen = true;
  #inFlight = 0;
  #whenIdle: (() => void) | undefined;

  constructor(snapshot: Snapshot, deps: PipelineDeps) {
    this.#snapshot = snapshot;
    this.#deps = deps;
    this.visibleLists = new VisibleLists(snapshot);
    this.#onFailure = (control, error) => deps.log.error('control.failed', { control, error: errorMessage(error) });
    this.#suspendedCalls = new SuspendedCallStore(
      deps,
      { ...DEFAULT_SUSPENDED_CALL_LIMITS, ...deps.suspendedCallLimits },
      (round, cause) => this.#closeSuspended(round, cause),
    );
    this.#inputRequired = new InputRequiredFlow({
      upstreams: deps.upstreams,
      log: deps.log,
      clock: deps.clock,
      ids: deps.ids,
      suspendedCalls: this.#suspendedCalls,
      runInputRequest: (state) => this.#run(state, undefined),
      snapshot: () => this.#snapshot,
    });
    this.#subscriptions = new ResourceSubscriptions({
      snapshot: () => this.#snapshot,
      call: (request, options, rejected) => this.#runCall(request, options, rejected),
      unsubscribe: (principalId, target) => deps.upstreams.unsubscribe(principalId, target),
      onFailure: this.#onFailure,
    });
  }

  /** Puts a snapshot in force for every call received from now on, and notifies each principal whose list changed. */
  applySnapshot(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#subscriptions.recheck();
    for (const { principalId, kind, view } of this.visibleLists.applySnapshot(snapshot)) {
      for (const listener of this.#listeners) listener(principalId, kind, view);
    }
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
    this.#deps.upstreams.rootsChanged(id, session);
  }

  call(request: CallRequest, options: CallOptions): Promise<CallReply> {
    // A retry belongs to a call that was admitted already: overload does not refuse it halfway.
    const isOverloaded =
      request.resumption === undefined && this.#inFlight >= (this.#deps.maxCalls ?? DEFAULT_MAX_CALLS);
    return this.#runCall(request, options, isOverloaded ? overloadFailureMode.result : undefined);
  }

  subscribe(request: Omit<CallRequest, 'operation' | 'args'>, options: SubscribeOptions): Promise<SubscribeReply> {
    return this.#subscriptions.subscribe(request, options);
  }

  /** Notifies subscribers, among these principals, that a resource of a server changed or may have changed. */
  resourceUpdated(server: string, uri: string, principalIds: readonly string[]): void {
    this.#subscriptions.notifyUpdated(server, uri, principalIds);
  }

  /** Takes no new calls, ends suspended ones, and resolves when no call is in flight and all of them are recorded. */
  async drain(): Promise<void> {
    this.#isOpen = false;
    this.#suspendedCalls.close();
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    await Promise.all(this.#pendingWrites);
  }

  async #runCall(request: CallRequest, options: CallOptions, rejected: Reason | undefined): Promise<CallReply> {
    const state = this.#receive(request, options);
    return toCallReply(state.call, await this.#run(state, rejected));
  }

  #receive(request: CallRequest, { signal, clientContext }: CallOptions): CallState {
    const snapshot = this.#snapshot;
    const target = resolveTarget(snapshot, request);
    const { resumption } = request;
    let call: Call = {
      id: this.#deps.ids.uuidv7(),
      principal: request.principal,
      subjects: snapshot.subjectsOf(request.principal),
      action: request.operation.action,
      target,
      args: request.args,
      context: request.context,
      receivedAtMs: this.#deps.clock.wallMs(),
      resumption,
    };
    if (target.kind === 'tool' && target.fixedArguments) call = applyFixedArguments(call, target.fixedArguments);
    let controls = controlsFor(snapshot);
    let suspended: CallState['suspended'];
    if (resumption !== undefined) {
      const claim = this.#suspendedCalls.claim(call, resumption.state);
      suspended = claim.suspended;
      call = { ...call, resumption: { ...resumption, stateCheck: claim.check } };
      controls = { request: snapshot.resumedControls, response: snapshot.responseControls };
    }
    const startedMs = this.#deps.clock.monotonicMs();
    return { snapshot, call, startedMs, signal, clientContext, controls, deliver: undefined, suspended };
  }

  /** Decides, records and dispatches one call, unless it is `rejected`. Never rejects. */
  async #run(state: CallState, rejected: Reason | undefined): Promise<Outcome> {
    this.#inFlight += 1;
    try {
      const run = await this.#decide(state, this.#isOpen ? rejected : 'shutting-down');
      const { revision, registry } = state.snapshot;
      const decision: DecisionRecord = { call: state.call, steps: run.steps, revision, registry };
      if (run.refusal !== undefined) return await this.#refuse(state, run, decision);
      try {
        await this.#deps.recorder.admitted(decision);
      } catch (error) {
        // INVARIANT: without a durable record nothing is dispatched.
        this.#deps.log.error('ledger.unavailable', { error: errorMessage(error) });
        return this.#settleRefused(state, run, indeterminateRefusal(state, 'ledger', ledgerFailureMode.result));
      }
      return await this.#dispatch(state, run.evaluated);
    } catch (error) {
      // INVARIANT: a call never rejects. An error that arrives here is a defect of the pipeline.
      this.#deps.log.error('call.internal-error', { callId: state.call.id, error: errorMessage(error) });
      return indeterminateRefusal(state, 'walk', 'control-failed');
    } finally {
      state.suspended?.endClaim({ reason: 'cancelled', message: 'the retry of the call was refused' });
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#whenIdle?.();
    }
  }

  async #decide(state: CallState, rejected: Reason | undefined): Promise<ControlRun> {
    if (rejected !== undefined) return { steps: [], evaluated: [], refusal: rejection(state, rejected) };
    const options = { signal: state.signal, onFailure: this.#onFailure };
    const run = await runControls(state.controls.request, { call: state.call }, options);
    // The broker began to stop while the controls of a retry ran: there is no call any more that it could resume.
    const cause = run.refusal === undefined ? state.suspended?.endCause : undefined;
    return cause === undefined ? run : { ...run, refusal: rejection(state, cause.reason) };
  }

  async #refuse(state: CallState, run: ControlRun, decision: DecisionRecord): Promise<Outcome> {
    // `as`: the caller has checked it.
    const decided = run.refusal as Omit<Refusal, 'visible'>;
    const refusal = this.#settleRefused(state, run, { ...decided, visible: isVisible(state) });
    try {
      await this.#deps.recorder.refused(decision, refusal);
    } catch (error) {
      this.#deps.log.error('ledger.unavailable', { error: errorMessage(error) });
      return indeterminateRefusal(state, 'ledger', ledgerFailureMode.result);
    }
    return refusal;
  }

  /** Settles a refused call. A retryable refusal of a retry restores the suspended call, with its reservations. */
  #settleRefused(state: CallState, { evaluated }: ControlRun, refusal: Refusal): Refusal {
    let outcome = refusal;
    if (isRetryable(refusal) && state.suspended?.unclaim(this.#deps.clock.monotonicMs()) === true) {
      // From now on another retry may claim it.
      state.suspended = undefined;
      outcome = { ...refusal, stillPending: true };
    }
    settleAll(evaluated, { call: state.call }, { outcome, onFailure: this.#onFailure });
    return outcome;
  }

  async #dispatch(state: CallState, evaluated: readonly EvaluatedControl[]): Promise<Outcome> {
    let dispatched: DispatchResult | InputRequired;
    try {
      dispatched = await (state.deliver === undefined ? this.#inputRequired.send(state) : state.deliver());
    } catch (error) {
      dispatched = failedDispatch(this.#deps.log, state.call, error);
    }
    const result = dispatched.kind === 'completed' ? dispatched.result : undefined;
    // Serialized once: the text that is recorded is the text that is sent.
    const resultText = result === undefined ? undefined : JSON.stringify(result);
    const exchange: Exchange = result ? { call: state.call, result } : { call: state.call };
    // Member by member: a spread would give each call an object of a new shape.
    let outcome: Outcome =
      dispatched.kind === 'completed' && resultText !== undefined
        ? { kind: 'completed', result: dispatched.result, resultBytes: dispatched.resultBytes, resultText }
        : dispatched;
    let run: ControlRun = { steps: [], evaluated: [] };
    if (result) {
      run = await runControls(state.controls.response, exchange, { signal: state.signal, onFailure: this.#onFailure });
      if (run.refusal) outcome = { ...run.refusal, visible: isVisible(state) };
    }
    settleAll([...evaluated, ...run.evaluated], exchange, { outcome, onFailure: this.#onFailure });
    try {
      await this.#recordClosed(state, outcome, { steps: run.steps, resultText });
    } catch (error) {
      this.#deps.log.error('ledger.unavailable', { error: errorMessage(error) });
      return this.#failUnrecorded(state, evaluated, outcome);
    }
    const { suspended } = state;
    if (outcome.kind === 'input-required' && suspended !== undefined) {
      state.suspended = undefined;
      this.#suspendedCalls.wait(suspended, { state, evaluated });
    }
    return outcome;
  }

  #recordClosed(
    { call, snapshot, startedMs }: CallState,
    outcome: Outcome,
    { steps, resultText }: { readonly steps: ControlRun['steps']; readonly resultText: string | undefined },
  ): Promise<void> {
    return this.#deps.recorder.closed({
      call,
      steps,
      revision: snapshot.revision,
      registry: snapshot.registry,
      outcome,
      resultText,
      costNanoUsd: costOf(call, outcome),
      durationMs: Math.round(this.#deps.clock.monotonicMs() - startedMs),
    });
  }

  /** Makes the outcome of a call whose outcome is not durable: the server acted, but only what the ledger holds is reported. */
  #failUnrecorded(state: CallState, evaluated: readonly EvaluatedControl[], outcome: Outcome): Outcome {
    const reason = ledgerFailureMode.result;
    const message = 'the outcome of this call could not be recorded; it is in doubt';
    const failed: Outcome = { kind: 'failed', reason, message, inDoubt: true };
    if (outcome.kind === 'input-required') {
      state.suspended?.cancel({ reason, message });
      settleAll(evaluated, { call: state.call }, { outcome: failed, onFailure: this.#onFailure });
    }
    return failed;
  }

  /** Closes the last round of a suspended call that no retry resumed: the call was sent and may have acted. */
  #closeSuspended({ state, evaluated }: SuspendedRound, { reason, message }: EndCause): void {
    const outcome: Outcome = { kind: 'failed', reason, message, inDoubt: true };
    settleAll(evaluated, { call: state.call }, { outcome, onFailure: this.#onFailure });
    const write = this.#recordClosed(state, outcome, { steps: [], resultText: undefined })
      .catch((error) => this.#deps.log.error('ledger.unavailable', { error: errorMessage(error) }))
      .finally(() => this.#pendingWrites.delete(write));
    this.#pendingWrites.add(write);
  }
}
