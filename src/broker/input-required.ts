import type { Call } from '../domain/call.ts';
import type { DispatchOptions } from '../domain/mcp/call-options.ts';
import type { ClientContext, ClientResponse } from '../domain/mcp/client-context.ts';
import {
  INPUT_REQUEST_ACTIONS,
  type InputRequest,
  type InputResponse,
  type SendInputRequest,
} from '../domain/mcp/input-request.ts';
import type { DispatchResult, InputRequired, Outcome } from '../domain/outcome.ts';
import { allowedCapabilities, canRespond, rewriteForClient, UrlIdMap } from '../input-required/rewrite-for-client.ts';
import type { InputResult, SuspendedCall } from '../input-required/suspended-call.ts';
import type { SuspendedCallStore } from '../input-required/suspended-call-store.ts';
import { anySignal, Cancellation, type CancelSignal } from '../lib/cancellation.ts';
import type { Ids } from '../lib/ids.ts';
import type { Clock } from '../lib/time.ts';
import type { CallState } from './call-state.ts';
import type { Snapshot } from './snapshot.ts';
import { RoundClientContext } from './suspended-calls.ts';

/** What asking needs from the hall. */
export interface InputRequiredDeps {
  readonly suspendedCallStore: SuspendedCallStore;
  readonly clock: Clock;
  readonly ids: Ids;
  /** The back door. MUST NOT reject. */
  dispatch(call: Call, options: DispatchOptions): Promise<DispatchResult>;
  /** Walks a question like any call. */
  runInputRequest(state: CallState): Promise<Outcome>;
  /** The world in force: a question is judged by the rules of the moment it is asked. */
  snapshot(): Snapshot;
}

/** Brings a question before the agent and its reaction back. */
type DeliverInputRequest = (request: InputRequest, signal: CancelSignal) => Promise<DispatchResult>;

/**
 * Sends calls whose tool server may ask before it answers. A legacy agent is asked by a request on the stream of its call;
 * a stateless one with the end of its request, and the call goes on with the next that brings the answers.
 */
export class InputRequiredFlow {
  readonly #deps: InputRequiredDeps;
  readonly #contexts = new WeakMap<SuspendedCall, RoundClientContext>();

  constructor(deps: InputRequiredDeps) {
    this.#deps = deps;
  }

  /** Sends one leg of a call. */
  send(state: CallState): Promise<DispatchResult | InputRequired> {
    const { call, clientContext, signal } = state;
    if (call.resumption !== undefined) return this.#resume(state);
    if (clientContext === undefined || !canRespond(clientContext.capabilities) || call.action === 'complete') {
      return this.#deps.dispatch(call, { signal, clientContext });
    }
    return clientContext.sendRequest === undefined
      ? this.#begin(state, clientContext)
      : this.#sendInteractive(state, clientContext);
  }

  async #sendInteractive(state: CallState, clientContext: ClientContext): Promise<DispatchResult> {
    const { call, signal } = state;
    const timeoutMs = this.#deps.suspendedCallStore.expiryMs;
    // What a server asked and did not wait for is asked in vain.
    const ended = new Cancellation();
    const onAbort = (): void => ended.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    const urls = new UrlIdMap(clientContext);
    const sendInputRequest: SendInputRequest = (request, cancelSignal) => {
      const requestOrCallSignal = anySignal(ended.signal, cancelSignal);
      const deliver: DeliverInputRequest = async (rewritten, requestSignal) => {
        if (clientContext.sendRequest === undefined) return failedInputRequest('the client cannot be asked');
        urls.add(request, rewritten);
        const { method, params } = rewritten;
        return toDispatchResult(await clientContext.sendRequest(method, params, { signal: requestSignal, timeoutMs }));
      };
      return this.#sendInputRequest(state, request, {
        signal: requestOrCallSignal,
        deliver,
        capabilities: clientContext.capabilities,
      });
    };
    const capabilities = capabilitiesFor(state, clientContext);
    const inputRequests = {
      capabilities,
      send: sendInputRequest,
      expiryMs: timeoutMs,
      urlCompletion: urls,
      preempt: () => false,
    };
    const result = await this.#deps.dispatch(call, { signal, clientContext, inputRequests });
    signal.removeEventListener('abort', onAbort);
    ended.abort();
    return result;
  }

  #begin(state: CallState, clientContext: ClientContext): Promise<DispatchResult | InputRequired> {
    const suspended = this.#deps.suspendedCallStore.begin(state.call);
    const { signal } = suspended;
    const context = new RoundClientContext(clientContext);
    this.#contexts.set(suspended, context);
    const sendInputRequest: SendInputRequest = (request, cancelSignal) =>
      this.#requestOnNextRound(state, request, { suspended, cancelSignal, capabilities: clientContext.capabilities });
    const { expiryMs } = this.#deps.suspendedCallStore;
    const preempt = (): boolean => suspended.preempt();
    const inputRequests = {
      capabilities: capabilitiesFor(state, clientContext),
      send: sendInputRequest,
      expiryMs,
      preempt,
    };
    const roundResult = this.#runRound(state, suspended);
    suspended.follow(this.#deps.dispatch(state.call, { signal, clientContext: context, inputRequests }));
    return roundResult;
  }

  #resume(state: CallState): Promise<DispatchResult | InputRequired> {
    const suspended = this.#deps.suspendedCallStore.take(state.call.id);
    // INVARIANT: `request-state` let only calls through that claimed what waits.
    if (suspended === undefined) throw new Error('a call goes on with nothing');
    suspended.respond(state.call.resumption?.responses ?? {});
    return this.#runRound(state, suspended);
  }

  async #runRound(state: CallState, suspended: SuspendedCall): Promise<DispatchResult | InputRequired> {
    const context = this.#contexts.get(suspended);
    context?.follow(state.clientContext);
    const end = await suspended.runRound(state.signal);
    context?.follow(undefined);
    if (end.kind === 'ended') return end.result;
    const requestState = this.#deps.suspendedCallStore.suspend(suspended, state.call);
    return { kind: 'input-required', requests: end.requests, state: requestState };
  }

  async #requestOnNextRound(
    state: CallState,
    request: InputRequest,
    options: {
      readonly suspended: SuspendedCall;
      readonly cancelSignal: CancelSignal | undefined;
      readonly capabilities: Call['args'];
    },
  ): Promise<InputResponse> {
    const { suspended, cancelSignal, capabilities } = options;
    let isEvaluated = false;
    const endEvaluation = (): void => {
      if (!isEvaluated) suspended.endEvaluation();
      isEvaluated = true;
    };
    suspended.beginEvaluation();
    const deliver: DeliverInputRequest = (rewritten, signal) => {
      const response = suspended.request(rewritten, signal);
      endEvaluation();
      return response.then(toInputDispatchResult);
    };
    try {
      return await this.#sendInputRequest(state, request, {
        signal: anySignal(suspended.signal, cancelSignal),
        deliver,
        capabilities,
      });
    } finally {
      endEvaluation();
    }
  }

  async #sendInputRequest(
    state: CallState,
    request: InputRequest,
    options: {
      readonly signal: CancelSignal;
      readonly deliver: DeliverInputRequest;
      readonly capabilities: Call['args'];
    },
  ): Promise<InputResponse> {
    const { clock, ids } = this.#deps;
    const { principal, context, id, target } = state.call;
    const snapshot = this.#deps.snapshot();
    const server = 'server' in target ? target.server : '';
    const isStateless = state.clientContext?.sendRequest === undefined;
    const rewritten = rewriteForClient(request, { server, elicitationId: isStateless ? undefined : ids.uuidv7() });
    const call: Call = {
      ...{ id: ids.uuidv7(), principal, subjects: snapshot.subjectsOf(principal), context },
      ...{ action: INPUT_REQUEST_ACTIONS[request.method], target: snapshot.serverOf(server), args: rewritten.params },
      receivedAtMs: clock.wallMs(),
      inputRequest: { causedBy: id, capabilities: options.capabilities },
    };
    const outcome = await this.#deps.runInputRequest({
      ...{ snapshot, call, startedMs: clock.monotonicMs(), signal: options.signal, clientContext: undefined },
      controls: { request: snapshot.inputRequestControls, response: snapshot.inputResponseControls },
      send: () => options.deliver(rewritten, options.signal),
    });
    return inputResponseOf(outcome);
  }
}

function capabilitiesFor({ snapshot, call }: CallState, clientContext: ClientContext): Call['args'] {
  const { target } = call;
  if (!('server' in target)) return {};
  const server = snapshot.serverOf(target.server);
  return allowedCapabilities(clientContext.capabilities, (action) => snapshot.couldBeAllowed(call, server, action));
}

function inputResponseOf(outcome: Outcome): InputResponse {
  if (outcome.kind === 'completed') return { kind: 'answered', result: outcome.result };
  if (outcome.kind === 'input-required') throw new Error('a question was interrupted by another');
  const { reason, message } = outcome;
  return { kind: 'unanswered', undeclared: reason === 'capability-missing', message };
}

function failedInputRequest(message: string): DispatchResult {
  return { kind: 'failed', reason: 'question-unanswered', message, inDoubt: false };
}

function toDispatchResult(response: ClientResponse): DispatchResult {
  if (response.kind === 'result') return completed(response.result);
  if (response.kind === 'error') {
    return failedInputRequest(`the client answered with error ${response.error.code}`);
  }
  if (response.cause !== 'cancelled') return failedInputRequest(response.message);
  return { kind: 'failed', reason: 'cancelled', message: response.message, inDoubt: false };
}

function toInputDispatchResult(response: InputResult): DispatchResult {
  if (response.kind === 'answered') return completed(response.result);
  return { kind: 'failed', reason: response.reason, message: response.message, inDoubt: false };
}

function completed(result: Call['args']): DispatchResult {
  return { kind: 'completed', result, resultBytes: Buffer.byteLength(JSON.stringify(result)) };
}
