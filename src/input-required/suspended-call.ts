import type { ClientContext, LogLevel } from '../domain/mcp/client-context.ts';
import type { InputRequest } from '../domain/mcp/input-request.ts';
import type { DispatchResult } from '../domain/outcome.ts';
import type { Reason } from '../domain/reasons.ts';
import { Cancellation, type CancelSignal } from '../lib/cancellation.ts';
import { isJsonObject, type JsonObject } from '../lib/json/json.ts';
import type { RoundTicket } from './request-state-codec.ts';

/** Time to wait for further input requests before a round ends with those that are pending. */
const COALESCE_MS = 25;

/**
 * States of a suspended call. `running`: a round of the agent is open, or was just closed; `waiting`: the agent may
 * retry; `claimed`: a retry is being decided; `ended`: it has its result, or was cancelled.
 */
export type SuspendedCallState = 'running' | 'waiting' | 'claimed' | 'ended';

/** Result of an input request that a stateless agent got. */
export type InputResult =
  | { readonly kind: 'answered'; readonly result: JsonObject }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly message: string };

/** End of one round: the result of the call, or input requests, each as `{ method, params }` under its name. */
export type RoundResult =
  | { readonly kind: 'ended'; readonly result: DispatchResult }
  | { readonly kind: 'input-required'; readonly requests: JsonObject };

/** Reason why a call ended without a result. */
export interface EndCause {
  readonly reason: Reason;
  readonly message: string;
}

/** Services that a suspended call needs from its store. */
export interface SuspendedCallHost<Round> {
  /** Takes a place among the suspended calls. @returns false if there is none. */
  acquire(): boolean;
  release(): void;
  /** Called when a retry resumes the call. */
  onResumed(): void;
  /** Called once if the call ends in `waiting` or `claimed`, with the round that it waited after. */
  onEnded(round: Round, cause: EndCause): void;
}

interface PendingRequest {
  readonly request: InputRequest;
  readonly respond: (result: InputResult) => void;
}

/**
 * Owns one call of a stateless agent to a server that may request input, from its first round to its end. The call is
 * dispatched once and goes on across rounds. `Round` is whatever the pipeline keeps of a round to close or resume it.
 */
export class SuspendedCall<Round> {
  /** Id of the call that began it. */
  readonly callId: string;
  /** Client context of the dispatch; it follows the open round. */
  readonly clientContext: RoundClientContext;
  /** Ticket of the last round that ended with input requests; its `requestState` names it. */
  ticket: RoundTicket | undefined;
  readonly #host: SuspendedCallHost<Round>;
  readonly #cancellation = new Cancellation();
  readonly #pending = new Map<string, PendingRequest>();
  #state: SuspendedCallState = 'running';
  /** Round that the call waits after; undefined in `running` and `ended`. */
  #round: Round | undefined;
  #endRound: ((end: RoundResult) => void) | undefined;
  #result: DispatchResult | undefined;
  /** Set when the broker stops while a retry is being decided: the retry cannot resume the call. */
  #endCause: EndCause | undefined;
  #isCounted = false;
  /** Number of input requests that the controls are deciding on; each of them may become pending. */
  #evaluating = 0;
  #requestCount = 0;
  #expiry: NodeJS.Timeout | undefined;
  #coalescing: NodeJS.Timeout | undefined;

  constructor(callId: string, clientContext: ClientContext, host: SuspendedCallHost<Round>) {
    this.callId = callId;
    this.clientContext = new RoundClientContext(clientContext);
    this.#host = host;
  }

  get state(): SuspendedCallState {
    return this.#state;
  }

  /** Cancels the dispatch. It outlives each round. */
  get signal(): CancelSignal {
    return this.#cancellation.signal;
  }

  /** Cause for which a claimed call cannot be resumed; undefined if it can, as it can if its result is there. */
  get endCause(): EndCause | undefined {
    return this.#result === undefined ? this.#endCause : undefined;
  }

  /** Opens a round for one request of the agent: the first one here, each later one by `resume`. */
  openRound(signal: CancelSignal, clientContext: ClientContext | undefined): Promise<RoundResult> {
    const onAbort = (): void => this.#cancel({ reason: 'cancelled', message: 'the agent cancelled the call' });
    this.clientContext.follow(clientContext);
    const ended = new Promise<RoundResult>((resolve) => {
      this.#endRound = (end) => {
        signal.removeEventListener('abort', onAbort);
        this.clientContext.follow(undefined);
        this.#endRound = undefined;
        if (end.kind === 'ended') this.#state = 'ended';
        resolve(end);
      };
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    return ended;
  }

  /** Receives the result of the dispatch, which MUST NOT reject. */
  follow(dispatched: Promise<DispatchResult>): void {
    void dispatched.then((result) => {
      // After `stop` the result is that of our own cancellation.
      if (this.#endCause === undefined) this.#result = result;
      this.#failPending('cancelled', 'the call ended before the input request was answered');
      this.#endRoundIfReady();
    });
  }

  /** running → waiting, until the ticket expires. `round` is already closed in the ledger. */
  wait(round: Round, nowMs: number): void {
    this.#round = round;
    this.#startWaiting((this.ticket?.expiresAtMs ?? nowMs) - nowMs);
  }

  /** waiting → claimed. @returns false if it is not waiting. */
  claim(): boolean {
    if (this.#state !== 'waiting') return false;
    clearTimeout(this.#expiry);
    this.#state = 'claimed';
    return true;
  }

  /** claimed → waiting, for the time that was left. @returns false if it is not claimed or cannot wait any longer. */
  unclaim(nowMs: number): boolean {
    const remainingMs = (this.ticket?.expiresAtMs ?? nowMs) - nowMs;
    if (this.#state !== 'claimed' || this.#endCause !== undefined || remainingMs <= 0) return false;
    this.#startWaiting(remainingMs);
    return true;
  }

  /** claimed → running: delivers the responses and opens the next round. Requests without a response are made again. */
  resume(responses: JsonObject, signal: CancelSignal, clientContext: ClientContext | undefined): Promise<RoundResult> {
    const cause = this.endCause;
    this.#round = undefined;
    this.#host.onResumed();
    if (cause !== undefined) return Promise.resolve(this.#endWithRetry(cause));
    this.#state = 'running';
    const ended = this.openRound(signal, clientContext);
    for (const [name, { respond }] of [...this.#pending]) {
      const result = Object.hasOwn(responses, name) ? responses[name] : undefined;
      if (!isJsonObject(result)) continue;
      this.#pending.delete(name);
      respond({ kind: 'answered', result });
    }
    this.#releasePlace();
    this.#endRoundIfReady();
    return ended;
  }

  /** Ends the call if it is waiting, because another call of the agent needs its session. @returns false if it is not waiting. */
  preempt(): boolean {
    if (this.#state !== 'waiting') return false;
    this.#end({ reason: 'question-unanswered', message: 'another call of the agent needed the session' });
    return true;
  }

  /** Ends the call because the broker stops. A claimed one ends with its retry, so that the ledger closes only one of both. */
  stop(cause: EndCause): void {
    if (this.#state === 'waiting') this.#end(cause);
    else if (this.#state === 'claimed') {
      this.#endCause = cause;
      this.#cancel(cause);
    }
  }

  /** claimed → ended: the retry did not resume the call. Does nothing in the other states. */
  endClaim(cause: EndCause): void {
    if (this.#state === 'claimed') this.#end(this.#endCause ?? cause);
  }

  /** running → ended, when the round that ended cannot be closed in the ledger. */
  cancel(cause: EndCause): void {
    this.#state = 'ended';
    this.#cancel(cause);
  }

  /** Counts an input request that the controls decide on, until `endEvaluation`. */
  beginEvaluation(): void {
    this.#evaluating += 1;
  }

  endEvaluation(): void {
    this.#evaluating -= 1;
    this.#endRoundIfReady();
  }

  /** Requests input at the end of this round or of the next. `cancelSignal` withdraws the request. */
  request(inputRequest: InputRequest, cancelSignal: CancelSignal): Promise<InputResult> {
    if (this.signal.aborted || cancelSignal.aborted || this.#result !== undefined) {
      return Promise.resolve({ kind: 'failed', reason: 'cancelled', message: 'the call has ended' });
    }
    if (!this.#isCounted && !this.#host.acquire()) {
      const message = 'too many calls are waiting for input';
      return Promise.resolve({ kind: 'failed', reason: 'too-many-questions', message });
    }
    this.#isCounted = true;
    return new Promise((respond) => {
      const name = this.#nameFor(inputRequest.key);
      const pending = { request: inputRequest, respond };
      this.#pending.set(name, pending);
      cancelSignal.addEventListener('abort', () => this.#withdraw(name, pending), { once: true });
    });
  }

  /** waiting, claimed → ended. */
  #end(cause: EndCause): void {
    this.#state = 'ended';
    const round = this.#round;
    this.#round = undefined;
    this.#cancel(cause);
    // `as`: `wait` set it on the way to both states.
    this.#host.onEnded(round as Round, cause);
  }

  #startWaiting(remainingMs: number): void {
    this.#state = 'waiting';
    this.#expiry = setTimeout(
      () => this.#end({ reason: 'question-unanswered', message: 'the agent did not answer in time' }),
      remainingMs,
    );
    this.#expiry.unref();
  }

  #endWithRetry({ reason, message }: EndCause): RoundResult {
    this.#state = 'ended';
    this.#releasePlace();
    return { kind: 'ended', result: { kind: 'failed', reason, message, inDoubt: true } };
  }

  #cancel({ reason, message }: EndCause): void {
    clearTimeout(this.#expiry);
    clearTimeout(this.#coalescing);
    this.#failPending(reason, message);
    this.#cancellation.abort();
  }

  /** Drops a request that its server withdrew. A response that still arrives is ignored. */
  #withdraw(name: string, pending: PendingRequest): void {
    if (this.#pending.get(name) !== pending) return;
    this.#pending.delete(name);
    this.#releasePlace();
    pending.respond({ kind: 'failed', reason: 'cancelled', message: 'the server withdrew the input request' });
  }

  #failPending(reason: Reason, message: string): void {
    for (const { respond } of this.#pending.values()) respond({ kind: 'failed', reason, message });
    this.#pending.clear();
    this.#releasePlace();
  }

  /** Releases the place when nothing is pending. Between two rounds it is held, for the result is kept until the agent retries. */
  #releasePlace(): void {
    const isBetweenRounds = this.#endRound === undefined && this.#state !== 'ended';
    if (!this.#isCounted || this.#pending.size > 0 || isBetweenRounds) return;
    this.#isCounted = false;
    this.#host.release();
  }

  #nameFor(preferred: string | undefined): string {
    this.#requestCount += 1;
    const name = preferred ?? `question-${this.#requestCount}`;
    return this.#pending.has(name) ? `${name}-${this.#requestCount}` : name;
  }

  /** Ends the open round if there is a result, or if input requests are pending and no other is being decided. */
  #endRoundIfReady(): void {
    const endRound = this.#endRound;
    if (endRound === undefined) return;
    clearTimeout(this.#coalescing);
    if (this.#result !== undefined) {
      endRound({ kind: 'ended', result: this.#result });
      return;
    }
    if (this.#pending.size === 0 || this.#evaluating > 0) return;
    this.#coalescing = setTimeout(() => {
      if (this.#pending.size === 0 || this.#evaluating > 0 || this.#endRound !== endRound) return;
      endRound({ kind: 'input-required', requests: this.#requests() });
    }, COALESCE_MS);
  }

  #requests(): JsonObject {
    const entries = [...this.#pending].map(([name, { request }]) => {
      const { method, params } = request;
      return [name, { method, params }] as const;
    });
    return Object.fromEntries(entries);
  }
}

/**
 * Client context of a call with several rounds. Notifications go to the open round and are dropped between two rounds.
 * Which ones are wanted is what the first round declared.
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

  /** Makes `client` the context of the open round; undefined between two rounds. */
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
