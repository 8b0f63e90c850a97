import type { InputRequest } from '../domain/mcp/input-request.ts';
import type { DispatchResult } from '../domain/outcome.ts';
import type { Reason } from '../domain/reasons.ts';
import { Cancellation, type CancelSignal } from '../lib/cancellation.ts';
import { isJsonObject, type JsonObject } from '../lib/json/json.ts';

/** How long is waited for further questions before those that there are go out together. */
const COALESCE_MS = 25;

/** What came back of a question that went out to a stateless agent. */
export type InputResult =
  | { readonly kind: 'answered'; readonly result: JsonObject }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly message: string };

/** How one leg of a call ends: with its result, or with questions, each as `{ method, params }` under its name. */
export type RoundResult =
  | { readonly kind: 'ended'; readonly result: DispatchResult }
  | { readonly kind: 'asked'; readonly requests: JsonObject };

/** Asked for room before a call waits; told when it does not wait any more. */
export interface SuspendedCallQuota {
  /** False when as many calls wait as may. */
  acquire(): boolean;
  releaseClaim(): void;
}

interface PendingRequest {
  readonly request: InputRequest;
  readonly respond: (result: InputResult) => void;
}

/**
 * One call of a stateless agent to a tool server that may ask: it goes on while the agent's requests come and go. Each of
 * them is a leg; between two legs nothing but the expiry runs.
 */
export class SuspendedCall {
  /** Id of the call that began it. */
  readonly callId: string;
  readonly #cancellation = new Cancellation();
  readonly #quota: SuspendedCallQuota;
  readonly #pending = new Map<string, PendingRequest>();
  #isCounted = false;
  /** Questions that are being judged: they may come to wait at any moment. */
  #evaluating = 0;
  #requestCount = 0;
  #result: DispatchResult | undefined;
  #endRound: ((end: RoundResult) => void) | undefined;
  /** Ends the call while it waits, and only then. */
  #endWaiting: ((message: string) => void) | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #coalescing: NodeJS.Timeout | undefined;

  constructor(callId: string, quota: SuspendedCallQuota) {
    this.callId = callId;
    this.#quota = quota;
  }

  /** Ends what was dispatched; it lasts longer than any one leg. */
  get signal(): CancelSignal {
    return this.#cancellation.signal;
  }

  /** Takes what was dispatched. */
  follow(dispatched: Promise<DispatchResult>): void {
    void dispatched.then((result) => {
      this.#result = result;
      this.#failPending('cancelled', 'the call ended before it was answered');
      this.#endRoundIfReady();
    });
  }

  /** Begins or goes on with the call for one request of the agent; `signal` is that request's. */
  runRound(signal: CancelSignal): Promise<RoundResult> {
    const onAbort = (): void => this.cancel('cancelled', 'the agent cancelled the call');
    const ended = new Promise<RoundResult>((resolve) => {
      this.#endRound = (end) => {
        signal.removeEventListener('abort', onAbort);
        resolve(end);
      };
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    this.#endRoundIfReady();
    return ended;
  }

  /** Notes that a question is being judged, until `judged` says that it is done. */
  beginEvaluation(): void {
    this.#evaluating += 1;
  }

  endEvaluation(): void {
    this.#evaluating -= 1;
    this.#endRoundIfReady();
  }

  /** Asks with the end of this leg, or of the next, unless `withdrawn` says before that nobody waits for the answer. */
  request(inputRequest: InputRequest, cancelSignal: CancelSignal): Promise<InputResult> {
    if (this.signal.aborted || cancelSignal.aborted || this.#result !== undefined) {
      return Promise.resolve({ kind: 'failed', reason: 'cancelled', message: 'the call is over' });
    }
    if (!this.#isCounted && !this.#quota.acquire()) {
      const message = 'as many calls wait for answers as may at one time';
      return Promise.resolve({ kind: 'failed', reason: 'too-many-questions', message });
    }
    this.#isCounted = true;
    return new Promise((respond) => {
      const name = this.#nameFor(inputRequest.key);
      const pending = { request: inputRequest, respond };
      this.#pending.set(name, pending);
      const onCancelled = (): void => this.#cancelRequest(name, pending);
      cancelSignal.addEventListener('abort', onCancelled, { once: true });
    });
  }

  /** Hands the answers to who asked. What is not answered is asked again with the end of the leg. */
  respond(responses: JsonObject): void {
    for (const [name, { respond: resolveRequest }] of [...this.#pending]) {
      const result = Object.hasOwn(responses, name) ? responses[name] : undefined;
      if (!isJsonObject(result)) continue;
      this.#pending.delete(name);
      resolveRequest({ kind: 'answered', result });
    }
    this.#releaseQuota();
  }

  /** Lets the call wait for at most `expiryMs`; `end` is told when it may not wait any longer, and why. */
  wait(expiryMs: number, end: (message: string) => void): void {
    this.#endWaiting = end;
    this.#expiry = setTimeout(() => end('no answer came in time'), expiryMs);
    this.#expiry.unref();
  }

  /** The agent came back. */
  resume(): void {
    clearTimeout(this.#expiry);
    this.#endWaiting = undefined;
  }

  /** Ends the call where it waits for its agent, for another that needs its place. False where it does not wait. */
  preempt(): boolean {
    const end = this.#endWaiting;
    end?.('a later call of the agent needed its place');
    return end !== undefined;
  }

  /** Ends the call and every question of it. */
  cancel(reason: Reason, message: string): void {
    this.#end(reason, message);
  }

  /** Drops a question that its server takes back; an answer to it that still comes is of no use. */
  #cancelRequest(name: string, pending: PendingRequest): void {
    if (this.#pending.get(name) !== pending) return;
    this.#pending.delete(name);
    this.#releaseQuota();
    pending.respond({ kind: 'failed', reason: 'cancelled', message: 'the server took the question back' });
  }

  #end(reason: Reason, message: string): void {
    this.resume();
    this.#failPending(reason, message);
    this.#cancellation.abort();
  }

  #failPending(reason: Reason, message: string): void {
    for (const { respond } of this.#pending.values()) respond({ kind: 'failed', reason, message });
    this.#pending.clear();
    this.#releaseQuota();
  }

  /** Gives the place back, not while the agent is waited for: what ended meanwhile is held until it comes or may not any more. */
  #releaseQuota(): void {
    if (!this.#isCounted || this.#pending.size > 0 || this.#endWaiting !== undefined) return;
    this.#isCounted = false;
    this.#quota.releaseClaim();
  }

  #nameFor(preferred: string | undefined): string {
    this.#requestCount += 1;
    const name = preferred ?? `question-${this.#requestCount}`;
    return this.#pending.has(name) ? `${name}-${this.#requestCount}` : name;
  }

  /** Ends the leg where there is something to end it with. */
  #endRoundIfReady(): void {
    const endRound = this.#endRound;
    if (endRound === undefined) return;
    clearTimeout(this.#coalescing);
    if (this.#result !== undefined) {
      this.#endRound = undefined;
      endRound({ kind: 'ended', result: this.#result });
      return;
    }
    if (this.#pending.size === 0 || this.#evaluating > 0) return;
    this.#coalescing = setTimeout(() => {
      if (this.#pending.size === 0 || this.#evaluating > 0 || this.#endRound !== endRound) return;
      this.#endRound = undefined;
      endRound({ kind: 'asked', requests: this.#requests() });
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
