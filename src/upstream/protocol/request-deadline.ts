import type { CancelSignal } from '../../lib/cancellation.ts';
import { type FailedResponse, failedResponse, type RequestOptions } from './transport.ts';

/** Calls `onExpired` once if a request times out or is cancelled before its response. */
export class RequestDeadline {
  readonly #signal: CancelSignal;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort: () => void;

  constructor(options: RequestOptions, onExpired: (reason: 'timeout' | 'cancelled') => void) {
    this.#signal = options.signal;
    this.#onAbort = () => {
      this.clear();
      onExpired(abortReason(options.signal));
    };
    this.#timer = setTimeout(() => {
      this.clear();
      onExpired('timeout');
    }, options.timeoutMs);
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

/** The response to a request that must not be sent: its connection has ended, or the call has. Undefined if it may be sent. */
export function unsentResponse(endReason: string | undefined, signal: CancelSignal): FailedResponse | undefined {
  if (endReason !== undefined) return failedResponse('lost', false, endReason);
  return signal.aborted ? failedResponse(abortReason(signal), false, 'the call ended before it was sent') : undefined;
}

/** Reads the reason of an aborted signal: a deadline of the broker, or a cancellation by the agent. */
export function abortReason(signal: CancelSignal): 'timeout' | 'cancelled' {
  const reason: unknown = signal.reason;
  return reason instanceof Error && reason.name === 'TimeoutError' ? 'timeout' : 'cancelled';
}
