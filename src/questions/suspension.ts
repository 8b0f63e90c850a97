import type { DispatchResult } from '../domain/outcome.ts';
import type { ServerQuestion } from '../domain/question.ts';
import type { Reason } from '../domain/reasons.ts';
import { Cancellation, type CancelSignal } from '../lib/cancellation.ts';
import { isJsonObject, type JsonObject } from '../lib/json.ts';

/** How long is waited for further questions before those that there are go out together. */
const COALESCE_MS = 25;

/** What came back of a question that went out to a stateless agent. */
export type Reaction =
  | { readonly kind: 'answered'; readonly result: JsonObject }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly message: string };

/** How one leg of a call ends: with its result, or with questions, each as `{ method, params }` under its name. */
export type LegEnd =
  | { readonly kind: 'ended'; readonly came: DispatchResult }
  | { readonly kind: 'asked'; readonly requests: JsonObject };

/** Asked for room before a call waits; told when it does not wait any more. */
export interface SuspensionRoom {
  /** False when as many calls wait as may. */
  take(): boolean;
  release(): void;
}

interface Pending {
  readonly question: ServerQuestion;
  readonly react: (reaction: Reaction) => void;
}

/**
 * One call of a stateless agent to a tool server that may ask: it goes on while the agent's requests come and go. Each of
 * them is a leg; between two legs nothing but the expiry runs.
 */
export class Suspension {
  /** Id of the call that began it. */
  readonly callId: string;
  readonly #cancellation = new Cancellation();
  readonly #room: SuspensionRoom;
  readonly #pending = new Map<string, Pending>();
  #isCounted = false;
  /** Questions that are being judged: they may come to wait at any moment. */
  #judged = 0;
  #asked = 0;
  #came: DispatchResult | undefined;
  #endLeg: ((end: LegEnd) => void) | undefined;
  /** Ends the call while it waits, and only then. */
  #endWaiting: ((message: string) => void) | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #coalescing: NodeJS.Timeout | undefined;

  constructor(callId: string, room: SuspensionRoom) {
    this.callId = callId;
    this.#room = room;
  }

  /** Ends what was dispatched; it lasts longer than any one leg. */
  get signal(): CancelSignal {
    return this.#cancellation.signal;
  }

  /** Takes what was dispatched. */
  follow(dispatched: Promise<DispatchResult>): void {
    void dispatched.then((came) => {
      this.#came = came;
      this.#giveUp('cancelled', 'the call ended before it was answered');
      this.#look();
    });
  }

  /** Begins or goes on with the call for one request of the agent; `signal` is that request's. */
  leg(signal: CancelSignal): Promise<LegEnd> {
    const onAbort = (): void => this.cancel('cancelled', 'the agent cancelled the call');
    const ended = new Promise<LegEnd>((resolve) => {
      this.#endLeg = (end) => {
        signal.removeEventListener('abort', onAbort);
        resolve(end);
      };
    });
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    this.#look();
    return ended;
  }

  /** Notes that a question is being judged, until `judged` says that it is done. */
  judging(): void {
    this.#judged += 1;
  }

  judged(): void {
    this.#judged -= 1;
    this.#look();
  }

  /** Asks with the end of this leg, or of the next, unless `withdrawn` says before that nobody waits for the answer. */
  ask(question: ServerQuestion, withdrawn: CancelSignal): Promise<Reaction> {
    if (this.signal.aborted || withdrawn.aborted || this.#came !== undefined) {
      return Promise.resolve({ kind: 'failed', reason: 'cancelled', message: 'the call is over' });
    }
    if (!this.#isCounted && !this.#room.take()) {
      const message = 'as many calls wait for answers as may at one time';
      return Promise.resolve({ kind: 'failed', reason: 'too-many-questions', message });
    }
    this.#isCounted = true;
    return new Promise((react) => {
      const name = this.#nameFor(question.key);
      const pending = { question, react };
      this.#pending.set(name, pending);
      const onWithdrawn = (): void => this.#withdraw(name, pending);
      withdrawn.addEventListener('abort', onWithdrawn, { once: true });
    });
  }

  /** Hands the answers to who asked. What is not answered is asked again with the end of the leg. */
  answer(responses: JsonObject): void {
    for (const [name, { react }] of [...this.#pending]) {
      const result = Object.hasOwn(responses, name) ? responses[name] : undefined;
      if (!isJsonObject(result)) continue;
      this.#pending.delete(name);
      react({ kind: 'answered', result });
    }
    this.#uncount();
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
  giveWay(): boolean {
    const end = this.#endWaiting;
    end?.('a later call of the agent needed its place');
    return end !== undefined;
  }

  /** Ends the call and every question of it. */
  cancel(reason: Reason, message: string): void {
    this.#end(reason, message);
  }

  /** Drops a question that its server takes back; an answer to it that still comes is of no use. */
  #withdraw(name: string, pending: Pending): void {
    if (this.#pending.get(name) !== pending) return;
    this.#pending.delete(name);
    this.#uncount();
    pending.react({ kind: 'failed', reason: 'cancelled', message: 'the server took the question back' });
  }

  #end(reason: Reason, message: string): void {
    this.resume();
    this.#giveUp(reason, message);
    this.#cancellation.abort();
  }

  #giveUp(reason: Reason, message: string): void {
    for (const { react } of this.#pending.values()) react({ kind: 'failed', reason, message });
    this.#pending.clear();
    this.#uncount();
  }

  /** Gives the place back, not while the agent is waited for: what ended meanwhile is held until it comes or may not any more. */
  #uncount(): void {
    if (!this.#isCounted || this.#pending.size > 0 || this.#endWaiting !== undefined) return;
    this.#isCounted = false;
    this.#room.release();
  }

  #nameFor(wanted: string | undefined): string {
    this.#asked += 1;
    const name = wanted ?? `question-${this.#asked}`;
    return this.#pending.has(name) ? `${name}-${this.#asked}` : name;
  }

  /** Ends the leg where there is something to end it with. */
  #look(): void {
    const endLeg = this.#endLeg;
    if (endLeg === undefined) return;
    clearTimeout(this.#coalescing);
    if (this.#came !== undefined) {
      this.#endLeg = undefined;
      endLeg({ kind: 'ended', came: this.#came });
      return;
    }
    if (this.#pending.size === 0 || this.#judged > 0) return;
    this.#coalescing = setTimeout(() => {
      if (this.#pending.size === 0 || this.#judged > 0 || this.#endLeg !== endLeg) return;
      this.#endLeg = undefined;
      endLeg({ kind: 'asked', requests: this.#requests() });
    }, COALESCE_MS);
  }

  #requests(): JsonObject {
    const named = [...this.#pending].map(([name, { question }]) => {
      const { method, params } = question;
      return [name, { method, params }] as const;
    });
    return Object.fromEntries(named);
  }
}
