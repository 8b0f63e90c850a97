import { RequestDeadline } from './request-deadline.ts';
import type { PendingListeners } from './route-message.ts';
import { failedResponse, type MessageListener, type RequestOptions, type Response } from './transport.ts';

interface PendingRequest {
  readonly resolve: (response: Response) => void;
  readonly deadline: RequestDeadline;
  readonly maxBytes: number;
  readonly listener: MessageListener | undefined;
  readonly isOpenEnded: boolean;
}

/** Requests of one connection that wait for a response, by ids that only this connection uses. */
export class PendingRequests implements PendingListeners {
  readonly #pending = new Map<number, PendingRequest>();
  readonly #isShared: boolean;
  #openEndedCount = 0;
  #lastId = 0;

  /** `isShared`: several principals use the connection, so a message that names no request belongs to none of them. */
  constructor({ isShared }: { readonly isShared: boolean }) {
    this.#isShared = isShared;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Id of the request in flight, if there is exactly one. Streams that stay open do not count. */
  get soleId(): number | undefined {
    if (this.#pending.size - this.#openEndedCount !== 1) return undefined;
    for (const [id, { isOpenEnded }] of this.#pending) if (!isOpenEnded) return id;
    return undefined;
  }

  listenerOf(id: number): MessageListener | undefined {
    return this.#pending.get(id)?.listener;
  }

  get hasSoleRequest(): boolean {
    return !this.#isShared && this.#pending.size - this.#openEndedCount === 1;
  }

  get soleListener(): MessageListener | undefined {
    const { soleId } = this;
    return soleId === undefined || !this.hasSoleRequest ? undefined : this.listenerOf(soleId);
  }

  has(id: number): boolean {
    return this.#pending.has(id);
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Waits for the response to `id`. Calls `onAbandoned` on timeout or cancellation, so that the server can be notified. */
  waitForResponse(
    id: number,
    options: RequestOptions,
    onAbandoned: (reason: 'timeout' | 'cancelled') => void,
  ): Promise<Response> {
    const isOpenEnded = options.isOpenEnded === true;
    return new Promise((resolve) => {
      const deadline = new RequestDeadline(options, (reason) => {
        this.#forget(id);
        onAbandoned(reason);
        resolve(
          failedResponse(reason, true, reason === 'timeout' ? 'no response came in time' : 'the call was cancelled'),
        );
      });
      this.#pending.set(id, { resolve, deadline, maxBytes: options.maxBytes, listener: options.listener, isOpenEnded });
      if (isOpenEnded) this.#openEndedCount += 1;
    });
  }

  /** Settles a request. Returns false if none waits under that id: the response is unknown, late or a duplicate. */
  settle(id: number, response: Response): boolean {
    const pending = this.#pending.get(id);
    if (!pending) return false;
    this.#forget(id);
    pending.deadline.clear();
    const tooLarge = response.kind === 'result' && response.bytes > pending.maxBytes;
    pending.resolve(
      tooLarge ? failedResponse('too-large', true, `the result is over ${pending.maxBytes} bytes`) : response,
    );
    return true;
  }

  /** Ends an open stream that the server has ended. Returns false if `id` is not an open stream. */
  endStream(id: number): boolean {
    if (this.#pending.get(id)?.isOpenEnded !== true) return false;
    return this.settle(id, failedResponse('lost', true, 'the server ended the stream'));
  }

  #forget(id: number): void {
    if (this.#pending.get(id)?.isOpenEnded === true) this.#openEndedCount -= 1;
    this.#pending.delete(id);
  }

  settleAll(response: Response): void {
    for (const id of [...this.#pending.keys()]) this.settle(id, response);
  }
}
