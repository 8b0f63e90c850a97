import { setTimeout as pause } from 'node:timers/promises';
import type { InputRequestHandler } from '../../domain/mcp/call-options.ts';
import type { ClientContext } from '../../domain/mcp/client-context.ts';
import type { Era } from '../../domain/mcp/era.ts';
import { type InputRequest, type InputResponse, isInputRequestMethod } from '../../domain/mcp/input-request.ts';
import type { DispatchResult, JsonRpcErrorBody } from '../../domain/outcome.ts';
import { Cancellation, type CancelSignal } from '../../lib/cancellation.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import type { Clock } from '../../lib/time.ts';
import type { OutgoingResponse, Response, ServerRequest, Transport } from '../protocol/transport.ts';
import type { InputRequestListener } from './call-listener.ts';
import { capabilityMissing, failedResult, notSent } from './dispatch-result.ts';
import { PausableDeadline } from './pausable-deadline.ts';
import { parseRequiredInput, type RequiredInput } from './required-input.ts';
import { UrlElicitations } from './url-elicitations.ts';

type Responder = Pick<Transport, 'respond'>;

/** Parameters of a retry: input responses, and the state of the server. */
export interface RetryParams {
  readonly inputResponses: JsonObject;
  readonly requestState?: JsonValue;
}

/** Result of one attempt to send a call. `response` and `era` are undefined if nothing was sent. */
export interface SendResult {
  readonly result: DispatchResult;
  readonly response?: Response;
  readonly era?: Era;
}

/** Next step of an interactive call after one attempt. */
export type NextAttempt =
  | { readonly kind: 'ended'; readonly result: DispatchResult }
  | { readonly kind: 'retry'; readonly retryParams: RetryParams | undefined };

/** Most rounds of one call, as in the clients of the SDK. */
const MAX_ROUNDS = 8;
/** Most input requests of one call. */
const MAX_INPUT_REQUESTS = 64;
/** First delay before a retry to a server that requests no input and only returns a state; it doubles each time. */
const FIRST_RETRY_DELAY_MS = 200;
const METHOD_NOT_FOUND = -32_601;
/** Error code outside of the ranges reserved by JSON-RPC and MCP. */
const REFUSED = -31_000;

/** One call whose server may request input: its input requests, its rounds, and its deadline, which is paused meanwhile. */
export class InteractiveCall {
  readonly deadline: PausableDeadline;
  readonly #handler: InputRequestHandler;
  readonly clientContext: ClientContext;
  readonly urls: UrlElicitations;
  #requestCount = 0;
  #round = 0;
  #retryParams: RetryParams | undefined;
  #openCount = 0;
  /** Cancellations of open input requests, by the id that the server gave. */
  readonly #cancellations = new Map<string | number, Cancellation>();
  #idleWaiters: (() => void)[] = [];
  #onRequested: (() => void) | undefined;
  /** Capabilities that the server needed and the client did not declare. */
  #missingCapabilities: JsonObject | undefined;

  constructor(options: {
    readonly handler: InputRequestHandler;
    readonly signal: CancelSignal;
    readonly clock: Clock;
    readonly clientContext: ClientContext;
  }) {
    this.#handler = options.handler;
    this.clientContext = options.clientContext;
    this.deadline = new PausableDeadline(options.signal, options.clock);
    this.urls = new UrlElicitations(options.clock, options.handler);
  }

  /** Returns a listener for requests of the server on the stream of this call. */
  listenerFor(transport: Responder): InputRequestListener {
    return {
      capabilities: this.#handler.capabilities,
      onRequest: (id, method, params) => this.handleServerRequest({ id, method, params }, transport),
      onCancelled: (id) => this.cancelRequest(id),
    };
  }

  /** Forwards a request of the server to the agent, and the response to the server. */
  handleServerRequest({ id, method, params }: ServerRequest, transport: Responder): void {
    if (!isInputRequestMethod(method)) {
      transport.respond(id, { error: { code: METHOD_NOT_FOUND, message: 'method not found' } });
      return;
    }
    const cancellation = new Cancellation();
    this.#cancellations.set(id, cancellation);
    void this.#send({ method, params }, cancellation.signal).then((response) => {
      if (this.#cancellations.get(id) === cancellation) this.#cancellations.delete(id);
      // A cancelled request gets no response (MCP, "Cancellation").
      if (!cancellation.signal.aborted) transport.respond(id, toOutgoingResponse(response));
    });
  }

  /** Cancels an input request for its server. @returns false if none with that id is open. */
  cancelRequest(id: string | number): boolean {
    const cancellation = this.#cancellations.get(id);
    this.#cancellations.delete(id);
    cancellation?.abort();
    return cancellation !== undefined;
  }

  /** Resolves when no input request is open. */
  whenIdle(): Promise<void> {
    if (this.#openCount === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  get hasRequested(): boolean {
    return this.#requestCount > 0;
  }

  /** Resolves at the next input request, or after `timeoutMs`. */
  whenRequested(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onRequested = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Handles the outcome of one attempt: requests the input that the server requires, or ends the call. */
  async handleResult({ result, response, era }: SendResult): Promise<NextAttempt> {
    if (response === undefined || era === undefined) return { kind: 'ended', result };
    const required = parseRequiredInput(response, era);
    if (required === undefined) return { kind: 'ended', result: this.#finalResult(result, era) };
    if (typeof required === 'string') {
      const message = `the server sent an invalid input request: ${required}`;
      return { kind: 'ended', result: failedResult('upstream-protocol', message, true) };
    }
    const pending = era === 'legacy' ? this.#withoutAccepted(required) : required;
    if (pending !== undefined) {
      const failed = await this.#runRound(pending);
      if (failed !== undefined) return { kind: 'ended', result: failed };
    }
    const failed = era === 'legacy' ? await this.#waitForUrlCompletion() : undefined;
    return failed === undefined ? { kind: 'retry', retryParams: this.#retryParams } : { kind: 'ended', result: failed };
  }

  clear(): void {
    this.deadline.clear();
  }

  /** Returns the URL elicitations that the user has not accepted yet, each once; undefined if there are none. */
  #withoutAccepted({ inputRequests }: RequiredInput): RequiredInput | undefined {
    const pending = new Map<unknown, InputRequest>();
    for (const inputRequest of inputRequests) {
      const id = inputRequest.params.elicitationId;
      if (!this.urls.hasAccepted(id)) pending.set(id ?? inputRequest, inputRequest);
    }
    return pending.size === 0 ? undefined : { inputRequests: [...pending.values()] };
  }

  /** Waits for URL elicitations before the next attempt. @returns the failure that ends the call, if any. */
  async #waitForUrlCompletion(): Promise<DispatchResult | undefined> {
    const { deadline } = this;
    deadline.pause();
    deadline.reset();
    const shouldRetry = await this.urls.waitForCompletion(deadline.signal);
    deadline.resume();
    if (deadline.signal.aborted) return notSent('cancelled', 'the call was cancelled during a URL elicitation');
    if (shouldRetry) return undefined;
    return failedResult(
      'question-unfinished',
      'the user accepted a URL elicitation of the server and did not complete it in time',
      false,
    );
  }

  /** Sends the input requests of one round to the agent and keeps the responses. @returns the failure that ends the call, if any. */
  async #runRound({ inputRequests, requestState }: RequiredInput): Promise<DispatchResult | undefined> {
    if (this.#round >= MAX_ROUNDS) {
      return failedResult('too-many-questions', `the server requested input more than ${MAX_ROUNDS} times`, false);
    }
    if (inputRequests.length === 0) await pause(FIRST_RETRY_DELAY_MS * 2 ** this.#round, undefined, { ref: false });
    this.#round += 1;
    const responses = await Promise.all(inputRequests.map((inputRequest) => this.#send(inputRequest)));
    const inputResponses: Record<string, JsonObject> = {};
    for (const [index, response] of responses.entries()) {
      const { key } = inputRequests[index] as InputRequest;
      if (response.kind === 'unanswered') return this.#unansweredResult(response);
      // A legacy server gets no response to a URL elicitation: it learns of it by the next attempt.
      if (key !== undefined) inputResponses[key] = response.result;
      else if (response.result.action !== 'accept')
        return failedResult('question-refused', 'the user declined the input request of the server', false);
    }
    this.#retryParams = requestState === undefined ? { inputResponses } : { inputResponses, requestState };
    return undefined;
  }

  #unansweredResult({ message }: Extract<InputResponse, { kind: 'unanswered' }>): DispatchResult {
    if (this.#missingCapabilities !== undefined && this.#isStateless)
      return capabilityMissing(this.#missingCapabilities, false);
    return failedResult('question-refused', `the server needs a response to its input request: ${message}`, false);
  }

  #finalResult(result: DispatchResult, era: Era): DispatchResult {
    if (era === 'legacy') {
      // The server continued without an answer.
      return this.#missingCapabilities !== undefined && this.#isStateless
        ? capabilityMissing(this.#missingCapabilities, true)
        : result;
    }
    if (
      result.kind !== 'failed' ||
      result.reason !== 'capability-missing' ||
      !this.#declaresMissing(result.error?.data)
    )
      return result;
    return failedResult('question-refused', 'policy does not let the server request the input that it needs', false);
  }

  /** True if the client declared the missing capabilities, so that policy withheld them from the server. */
  #declaresMissing(data: JsonValue | undefined): boolean {
    const required = isJsonObject(data) && isJsonObject(data.requiredCapabilities) ? data.requiredCapabilities : {};
    return Object.keys(required).every((name) => this.clientContext.capabilities[name] !== undefined);
  }

  /** True if the agent is stateless: its era has an error that names missing capabilities. */
  get #isStateless(): boolean {
    return this.clientContext.sendRequest === undefined;
  }

  async #send(inputRequest: InputRequest, cancelSignal?: CancelSignal): Promise<InputResponse> {
    this.#requestCount += 1;
    if (this.#requestCount > MAX_INPUT_REQUESTS) {
      const message = `the server sent more than ${MAX_INPUT_REQUESTS} input requests`;
      return { kind: 'unanswered', undeclared: false, message };
    }
    this.#openCount += 1;
    this.#onRequested?.();
    this.deadline.pause();
    const url = urlParamsOf(inputRequest);
    this.urls.recordRequested(url?.elicitationId);
    const response = await this.#handler.send(inputRequest, cancelSignal);
    if (url !== undefined) {
      const isAccepted = response.kind === 'answered' && response.result.action === 'accept';
      this.urls[isAccepted ? 'recordAccepted' : 'recordDeclined'](url.elicitationId);
    }
    this.deadline.resume();
    this.#openCount -= 1;
    if (response.kind === 'unanswered' && response.undeclared)
      this.#missingCapabilities = { ...this.#missingCapabilities, ...capabilitiesFor(inputRequest) };
    if (this.#openCount === 0) {
      for (const resolve of this.#idleWaiters.splice(0)) resolve();
    }
    return response;
  }
}

function toOutgoingResponse(response: InputResponse): OutgoingResponse {
  if (response.kind === 'answered') return { result: response.result };
  const error: JsonRpcErrorBody = response.undeclared
    ? { code: METHOD_NOT_FOUND, message: 'method not found' }
    : { code: REFUSED, message: response.message };
  return { error };
}

/** Returns the parameters of a URL elicitation of a legacy server; modern ones have no ids. */
function urlParamsOf({ method, params, key }: InputRequest): JsonObject | undefined {
  return method === 'elicitation/create' && params.mode === 'url' && key === undefined ? params : undefined;
}

/** Returns the client capability that an input request needs. */
function capabilitiesFor({ method, params }: InputRequest): JsonObject {
  if (method === 'roots/list') return { roots: {} };
  if (method === 'sampling/createMessage') return { sampling: params.tools === undefined ? {} : { tools: {} } };
  return { elicitation: params.mode === 'url' ? { url: {} } : { form: {} } };
}
