import { type Answer, failedAnswer, type RequestListener, type RequestOptions } from './channel.ts';
import type { Hearers } from './hearers.ts';
import { RequestDeadline } from './request-deadline.ts';

interface PendingRequest {
  readonly resolve: (answer: Answer) => void;
  readonly deadline: RequestDeadline;
  readonly maxBytes: number;
  readonly listener: RequestListener | undefined;
  readonly isOpenEnded: boolean;
}

/** The requests of one connection that wait for their answer, under ids that only this connection knows. */
export class PendingRequests implements Hearers {
  readonly #waiting = new Map<number, PendingRequest>();
  readonly #isShared: boolean;
  #openEnded = 0;
  #lastId = 0;

  /** `isShared`: several principals speak over this one connection, so that what names no request belongs to nobody. */
  constructor({ isShared }: { readonly isShared: boolean }) {
    this.#isShared = isShared;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** The only id that waits for an answer, where there is exactly one. */
  get onlyId(): number | undefined {
    if (this.#waiting.size - this.#openEnded !== 1) return undefined;
    for (const [id, { isOpenEnded }] of this.#waiting) if (!isOpenEnded) return id;
    return undefined;
  }

  listenerOf(id: number): RequestListener | undefined {
    return this.#waiting.get(id)?.listener;
  }

  get hasSole(): boolean {
    return !this.#isShared && this.#waiting.size - this.#openEnded === 1;
  }

  get soleListener(): RequestListener | undefined {
    const { onlyId } = this;
    return onlyId === undefined || !this.hasSole ? undefined : this.listenerOf(onlyId);
  }

  has(id: number): boolean {
    return this.#waiting.has(id);
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Waits for the answer to `id`. `onOver` is told when it is given up, so that the server can be. */
  wait(id: number, options: RequestOptions, onOver: (why: 'timeout' | 'cancelled') => void): Promise<Answer> {
    const isOpenEnded = options.isOpenEnded === true;
    return new Promise((resolve) => {
      const deadline = new RequestDeadline(options, (why) => {
        this.#forget(id);
        onOver(why);
        resolve(failedAnswer(why, true, why === 'timeout' ? 'no answer came in time' : 'the call was cancelled'));
      });
      this.#waiting.set(id, { resolve, deadline, maxBytes: options.maxBytes, listener: options.listener, isOpenEnded });
      if (isOpenEnded) this.#openEnded += 1;
    });
  }

  /** Hands the answer to who waits for it; false when nobody does: an unknown, late or second reply. */
  settle(id: number, answer: Answer): boolean {
    const pending = this.#waiting.get(id);
    if (!pending) return false;
    this.#forget(id);
    pending.deadline.clear();
    const tooLarge = answer.kind === 'result' && answer.bytes > pending.maxBytes;
    pending.resolve(
      tooLarge ? failedAnswer('too-large', true, `the result is over ${pending.maxBytes} bytes`) : answer,
    );
    return true;
  }

  /** Ends a stream that the server says is over; false where `id` is none. */
  endStream(id: number): boolean {
    if (this.#waiting.get(id)?.isOpenEnded !== true) return false;
    return this.settle(id, failedAnswer('lost', true, 'the server ended the stream'));
  }

  #forget(id: number): void {
    if (this.#waiting.get(id)?.isOpenEnded === true) this.#openEnded -= 1;
    this.#waiting.delete(id);
  }

  settleAll(answer: Answer): void {
    for (const id of [...this.#waiting.keys()]) this.settle(id, answer);
  }
}
