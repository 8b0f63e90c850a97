import type { Call } from '../domain/call.ts';
import type { ClientContext, ClientResponse } from '../domain/mcp/client-context.ts';
import {
  INPUT_REQUEST_ACTIONS,
  type InputRequest,
  type InputResponse,
  type SendInputRequest,
} from '../domain/mcp/input-request.ts';
import type { DispatchResult, InputRequired, Outcome } from '../domain/outcome.ts';
import { allowedCapabilities, canRespond, rewriteForClient, UrlIdMap } from '../input-required/rewrite-for-client.ts';
import type { InputResult, RoundResult, SuspendedCall } from '../input-required/suspended-call.ts';
import type { SuspendedCallStore } from '../input-required/suspended-call-store.ts';
import { anySignal, Cancellation, type CancelSignal } from '../lib/cancellation.ts';
import type { Ids } from '../lib/ids.ts';
import type { JsonObject } from '../lib/json/json.ts';
import type { Clock } from '../lib/time.ts';
import type { Log } from '../telemetry/log.ts';
import { type CallState, failedDispatch, type SuspendedRound } from './call-state.ts';
import type { Snapshot } from './snapshot.ts';
import type { Upstreams } from './upstreams.ts';

/** Services of the flow of input requests. */
export interface InputRequiredDeps {
  readonly upstreams: Pick<Upstreams, 'dispatch'>;
  readonly log: Log;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly suspendedCalls: SuspendedCallStore<SuspendedRound>;
  /** Runs an input request through the pipeline like a call. Never rejects. */
  runInputRequest(state: CallState): Promise<Outcome>;
  /** Snapshot in force: an input request is decided by the rules of the moment it is made. */
  snapshot(): Snapshot;
}

/** Delivers an input request to the agent and returns its response. */
type DeliverInputRequest = (request: InputRequest, signal: CancelSignal) => Promise<DispatchResult>;

/**
 * Dispatches calls whose server may request input before it answers. A legacy agent gets an input request on the stream
 * of its call. A stateless agent gets it at the end of its request, and the call goes on with the retry that answers it.
 */
export class InputRequiredFlow {
  readonly #deps: InputRequiredDeps;

  constructor(deps: InputRequiredDeps) {
    this.#deps = deps;
  }

  /** Dispatches one round of a call. Rejects only if the dispatch is defective. */
  send(state: CallState): Promise<DispatchResult | InputRequired> {
    const { call, clientContext, signal, suspended } = state;
    if (suspended !== undefined) {
      return this.#endOfRound(
        state,
        suspended,
        suspended.resume(call.resumption?.responses ?? {}, signal, clientContext),
      );
    }
    if (clientContext === undefined || !canRespond(clientContext.capabilities) || call.action === 'complete') {
      return this.#deps.upstreams.dispatch(call, { signal, clientContext });
    }
    return clientContext.sendRequest === undefined
      ? this.#begin(state, clientContext)
      : this.#sendInteractive(state, clientContext);
  }

  async #sendInteractive(state: CallState, clientContext: ClientContext): Promise<DispatchResult> {
    const { call, signal } = state;
    const expiryMs = this.#deps.suspendedCalls.expiryMs;
    // Ends input requests that the server made and did not wait for.
    const ended = new Cancellation();
    const onAbort = (): void => ended.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    const urls = new UrlIdMap(clientContext);
    const send: SendInputRequest = (request, cancelSignal) => {
      const deliver: DeliverInputRequest = async (rewritten, requestSignal) => {
        if (clientContext.sendRequest === undefined) return failedInputRequest('the client takes no requests');
        urls.add(request, rewritten);
        const { method, params } = rewritten;
        const options = { signal: requestSignal, timeoutMs: expiryMs };
        return toDispatchResult(await clientContext.sendRequest(method, params, options));
      };
      return this.#sendInputRequest(state, request, {
        signal: anySignal(ended.signal, cancelSignal),
        deliver,
        capabilities: clientContext.capabilities,
      });
    };
    const capabilities = capabilitiesFor(state, clientContext);
    const inputRequests = { capabilities, send, expiryMs, urlCompletion: urls, preempt: () => false };
    try {
      return await this.#deps.upstreams.dispatch(call, { signal, clientContext, inputRequests });
    } finally {
      signal.removeEventListener('abort', onAbort);
      ended.abort();
    }
  }

  #begin(state: CallState, clientContext: ClientContext): Promise<DispatchResult | InputRequired> {
    const { call } = state;
    const { suspendedCalls, upstreams, log } = this.#deps;
    const suspended = suspendedCalls.begin(call, clientContext);
    state.suspended = suspended;
    const inputRequests = {
      capabilities: capabilitiesFor(state, clientContext),
      send: (request: InputRequest, cancelSignal?: CancelSignal) =>
        this.#requestOnNextRound(state, request, { suspended, cancelSignal, capabilities: clientContext.capabilities }),
      expiryMs: suspendedCalls.expiryMs,
      preempt: () => suspended.preempt(),
    };
    const round = suspended.openRound(state.signal, clientContext);
    const options = { signal: suspended.signal, clientContext: suspended.clientContext, inputRequests };
    suspended.follow(upstreams.dispatch(call, options).catch((error) => failedDispatch(log, call, error)));
    return this.#endOfRound(state, suspended, round);
  }

  async #endOfRound(
    { call }: CallState,
    suspended: SuspendedCall<SuspendedRound>,
    round: Promise<RoundResult>,
  ): Promise<DispatchResult | InputRequired> {
    const end = await round;
    if (end.kind === 'ended') return end.result;
    const requestState = this.#deps.suspendedCalls.issueState(suspended, call);
    return { kind: 'input-required', requests: end.requests, state: requestState };
  }

  async #requestOnNextRound(
    state: CallState,
    request: InputRequest,
    options: {
      readonly suspended: SuspendedCall<SuspendedRound>;
      readonly cancelSignal: CancelSignal | undefined;
      readonly capabilities: JsonObject;
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
      const signal = anySignal(suspended.signal, cancelSignal);
      return await this.#sendInputRequest(state, request, { signal, deliver, capabilities });
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
      readonly capabilities: JsonObject;
    },
  ): Promise<InputResponse> {
    const { clock, ids } = this.#deps;
    const { principal, context, id, target } = state.call;
    const { signal, deliver, capabilities } = options;
    const snapshot = this.#deps.snapshot();
    const server = 'server' in target ? target.server : '';
    const isStateless = state.clientContext?.sendRequest === undefined;
    const rewritten = rewriteForClient(request, { server, elicitationId: isStateless ? undefined : ids.uuidv7() });
    const call: Call = {
      id: ids.uuidv7(),
      principal,
      subjects: snapshot.subjectsOf(principal),
      context,
      action: INPUT_REQUEST_ACTIONS[request.method],
      target: snapshot.serverOf(server),
      args: rewritten.params,
      receivedAtMs: clock.wallMs(),
      inputRequest: { causedBy: id, capabilities },
    };
    const outcome = await this.#deps.runInputRequest({
      snapshot,
      call,
      startedMs: clock.monotonicMs(),
      signal,
      clientContext: undefined,
      controls: { request: snapshot.inputRequestControls, response: snapshot.inputResponseControls },
      deliver: () => deliver(rewritten, signal),
      suspended: undefined,
    });
    return inputResponseOf(outcome);
  }
}

function capabilitiesFor({ snapshot, call }: CallState, clientContext: ClientContext): JsonObject {
  const { target } = call;
  if (!('server' in target)) return {};
  const server = snapshot.serverOf(target.server);
  return allowedCapabilities(clientContext.capabilities, (action) => snapshot.couldBeAllowed(call, server, action));
}

function inputResponseOf(outcome: Outcome): InputResponse {
  if (outcome.kind === 'completed') return { kind: 'answered', result: outcome.result };
  // INVARIANT: an input request is delivered to the agent and dispatched to no server.
  if (outcome.kind === 'input-required') throw new Error('an input request ended with input requests');
  const { reason, message } = outcome;
  return { kind: 'unanswered', undeclared: reason === 'capability-missing', message };
}

function failedInputRequest(message: string): DispatchResult {
  return { kind: 'failed', reason: 'question-unanswered', message, inDoubt: false };
}

function toDispatchResult(response: ClientResponse): DispatchResult {
  if (response.kind === 'result') return completed(response.result);
  if (response.kind === 'error') {
    return failedInputRequest(`the client responded with error ${response.error.code}`);
  }
  if (response.cause !== 'cancelled') return failedInputRequest(response.message);
  return { kind: 'failed', reason: 'cancelled', message: response.message, inDoubt: false };
}

function toInputDispatchResult(response: InputResult): DispatchResult {
  if (response.kind === 'answered') return completed(response.result);
  return { kind: 'failed', reason: response.reason, message: response.message, inDoubt: false };
}

function completed(result: JsonObject): DispatchResult {
  return { kind: 'completed', result, resultBytes: Buffer.byteLength(JSON.stringify(result)) };
}
