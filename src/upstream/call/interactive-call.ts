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
import { capabilityMissing, failedResult, notSent } from './call-result.ts';
import { parseRequiredInput, type RequiredInput } from './input-required.ts';
import { PausableDeadline } from './pausable-deadline.ts';
import { UrlElicitations } from './url-elicitations.ts';

type Responder = Pick<Transport, 'respond'>;

/** What goes back to a stateless server with the answers to its questions. */
export interface RetryParams {
  readonly inputResponses: JsonObject;
  readonly requestState?: JsonValue;
}

/** What came of sending a call once; without an answer nothing of the server's is in it. */
export interface SendResult {
  readonly result: DispatchResult;
  readonly response?: Response;
  readonly era?: Era;
}

/** How often a server may ask before it has to answer; the SDK's clients give up after as many. */
const MAX_ROUNDS = 8;
/** Questions of one call altogether, for servers that ask while they work. */
const MAX_INPUT_REQUESTS = 64;
/** A server that only wants its state back is asked again after a moment, each time a longer one. */
const FIRST_RETRY_DELAY_MS = 200;
const METHOD_NOT_FOUND = -32_601;
/** Outside of what JSON-RPC and MCP keep for themselves. */
const REFUSED = -31_000;

/** One call whose server may ask: its questions, its deadline that waits for their answers, and its rounds. */
export class InteractiveCall {
  readonly deadline: PausableDeadline;
  readonly #handler: InputRequestHandler;
  readonly clientContext: ClientContext;
  readonly urls: UrlElicitations;
  #requestCount = 0;
  #openCount = 0;
  /** What takes a question back that waits for its answer, by the id that the server asked under. */
  readonly #cancellations = new Map<string | number, Cancellation>();
  #idleWaiters: (() => void)[] = [];
  #onRequested: (() => void) | undefined;
  /** What the client lacks that was asked for. */
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

  /** Hears the questions that the server asks over a channel by requests of its own. */
  listenerFor(transport: Responder): InputRequestListener {
    return {
      capabilities: this.#handler.capabilities,
      onRequest: (id, method, params) => this.handleServerRequest({ id, method, params }, transport),
      onCancelled: (id) => this.cancelRequest(id),
    };
  }

  /** Asks the agent what a server asks, and answers the server. */
  handleServerRequest({ id, method, params }: ServerRequest, transport: Responder): void {
    if (!isInputRequestMethod(method)) {
      transport.respond(id, { error: { code: METHOD_NOT_FOUND, message: 'method not found' } });
      return;
    }
    const cancellation = new Cancellation();
    this.#cancellations.set(id, cancellation);
    void this.#send({ method, params }, cancellation.signal).then((response) => {
      if (this.#cancellations.get(id) === cancellation) this.#cancellations.delete(id);
      // What was taken back is not answered (MCP, "Cancellation").
      if (!cancellation.signal.aborted) transport.respond(id, toOutgoingResponse(response));
    });
  }

  /** The server takes a question back. @returns false where none of that id is open. */
  cancelRequest(id: string | number): boolean {
    const cancellation = this.#cancellations.get(id);
    this.#cancellations.delete(id);
    cancellation?.abort();
    return cancellation !== undefined;
  }

  /** Resolves when no question is open. */
  whenIdle(): Promise<void> {
    if (this.#openCount === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }

  get hasRequested(): boolean {
    return this.#requestCount > 0;
  }

  /** Resolves when the server asks something, or after `patienceMs`. */
  whenRequested(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#onRequested = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Sends the call until the server answers in earnest. */
  async run(send: (retryParams: RetryParams | undefined) => Promise<SendResult>): Promise<DispatchResult> {
    let retryParams: RetryParams | undefined;
    let round = 0;
    for (;;) {
      const { result, response: answer, era } = await send(retryParams);
      if (answer === undefined || era === undefined) return result;
      const required = parseRequiredInput(answer, era);
      if (required === undefined) return this.#finalResult(result, era);
      if (typeof required === 'string')
        return failedResult('upstream-protocol', `the server broke the form: ${required}`, true);
      const pending = era === 'legacy' ? this.#withoutAccepted(required) : required;
      if (pending !== undefined) {
        if (round >= MAX_ROUNDS)
          return failedResult('too-many-questions', `the server asked more than ${MAX_ROUNDS} times`, false);
        const responses = await this.#sendAll(pending, round);
        if ('kind' in responses) return responses;
        retryParams = responses;
        round += 1;
      }
      const earlyResult = era === 'legacy' ? await this.#waitForUrlCompletion() : undefined;
      if (earlyResult !== undefined) return earlyResult;
    }
  }

  clear(): void {
    this.deadline.clear();
  }

  /** The URLs that the user did not agree to open yet, each once; undefined where there are none. */
  #withoutAccepted({ inputRequests }: RequiredInput): RequiredInput | undefined {
    const pending = new Map<unknown, InputRequest>();
    for (const inputRequest of inputRequests) {
      const id = inputRequest.params.elicitationId;
      if (!this.urls.hasAccepted(id)) pending.set(id ?? inputRequest, inputRequest);
    }
    return pending.size === 0 ? undefined : { inputRequests: [...pending.values()] };
  }

  /** Waits until a server that wanted URLs opened may answer otherwise. @returns how the call ends, where it ends here. */
  async #waitForUrlCompletion(): Promise<DispatchResult | undefined> {
    const { deadline } = this;
    deadline.pause();
    deadline.reset();
    const shouldRetry = await this.urls.waitForCompletion(deadline.signal);
    deadline.resume();
    if (deadline.signal.aborted)
      return notSent('cancelled', 'the call was cancelled while a URL of its server was open');
    if (shouldRetry) return undefined;
    return failedResult(
      'question-unfinished',
      'the server still waits for what the user agreed to do at its URL',
      false,
    );
  }

  async #sendAll({ inputRequests, requestState }: RequiredInput, round: number): Promise<RetryParams | DispatchResult> {
    if (inputRequests.length === 0) await pause(FIRST_RETRY_DELAY_MS * 2 ** round, undefined, { ref: false });
    const responses = await Promise.all(inputRequests.map((inputRequest) => this.#send(inputRequest)));
    const inputResponses: Record<string, JsonObject> = {};
    for (const [index, response] of responses.entries()) {
      const { key } = inputRequests[index] as InputRequest;
      if (response.kind === 'unanswered') return this.#unansweredResult(response);
      // A server of the older era wants a URL opened, and learns by the next try that it was.
      if (key !== undefined) inputResponses[key] = response.result;
      else if (response.result.action !== 'accept')
        return failedResult('question-refused', 'the user does not agree', false);
    }
    return requestState === undefined ? { inputResponses } : { inputResponses, requestState };
  }

  #unansweredResult({ message }: Extract<InputResponse, { kind: 'unanswered' }>): DispatchResult {
    if (this.#missingCapabilities !== undefined && this.#isStateless)
      return capabilityMissing(this.#missingCapabilities, false);
    return failedResult('question-refused', `the server cannot go on without an answer: ${message}`, false);
  }

  #finalResult(result: DispatchResult, era: Era): DispatchResult {
    if (era === 'legacy') {
      // It worked on without the answer, whatever it made of that.
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
    return failedResult('question-refused', 'policy does not let the server ask what it needs to know', false);
  }

  /** True where the client declared what is missing, so that it was policy that kept it from the server. */
  #declaresMissing(data: JsonValue | undefined): boolean {
    const required = isJsonObject(data) && isJsonObject(data.requiredCapabilities) ? data.requiredCapabilities : {};
    return Object.keys(required).every((name) => this.clientContext.capabilities[name] !== undefined);
  }

  /** Stateless agents are told by an error of their own what their client lacks. */
  get #isStateless(): boolean {
    return this.clientContext.sendRequest === undefined;
  }

  async #send(inputRequest: InputRequest, cancelSignal?: CancelSignal): Promise<InputResponse> {
    this.#requestCount += 1;
    if (this.#requestCount > MAX_INPUT_REQUESTS) {
      return { kind: 'unanswered', undeclared: false, message: 'the server asked too often' };
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

/** What a server of the older era wants opened by a question; the newer one has no ids for it. */
function urlParamsOf({ method, params, key }: InputRequest): JsonObject | undefined {
  return method === 'elicitation/create' && params.mode === 'url' && key === undefined ? params : undefined;
}

/** The capability that a client needs to answer a question. */
function capabilitiesFor({ method, params }: InputRequest): JsonObject {
  if (method === 'roots/list') return { roots: {} };
  if (method === 'sampling/createMessage') return { sampling: params.tools === undefined ? {} : { tools: {} } };
  return { elicitation: params.mode === 'url' ? { url: {} } : { form: {} } };
}
