import { Cancellation } from '../../lib/cancellation.ts';
import { isJsonObject, type JsonObject } from '../../lib/json.ts';
import { failedResponse, type Response, type Transport } from './channel.ts';

/** Longest wait until a server says what it serves of a subscription. */
const ACKNOWLEDGE_TIMEOUT_MS = 10_000;
const MAX_EVENT_BYTES = 1024 * 1024;
/** The longest that a timer can wait: such a stream ends when either side ends it. */
const NO_DEADLINE_MS = 2_147_483_647;

/** A `subscriptions/listen` of 2026-07-28 that a server acknowledged. */
export interface SubscriptionStream {
  readonly kind: 'listening';
  /** What of the filter the server serves. */
  readonly served: JsonObject;
  close(): void;
}

/**
 * Opens one and waits until it is acknowledged; gives the answer of a server that does not serve it. `onEnded` is told once
 * when an acknowledged one ends without our doing.
 */
export function openSubscriptionStream(
  transport: Transport,
  filter: JsonObject,
  onEnded: () => void,
): Promise<SubscriptionStream | Exclude<Response, { kind: 'result' }>> {
  const closing = new Cancellation();
  return new Promise((resolve) => {
    const acknowledgeTimer = setTimeout(() => closing.abort(), ACKNOWLEDGE_TIMEOUT_MS);
    let isOpen = false;
    const listener = {
      wantsProgress: false,
      onProgress: () => {},
      onLog: () => {},
      onAcknowledged: ({ notifications }: JsonObject) => {
        clearTimeout(acknowledgeTimer);
        isOpen = true;
        const served = isJsonObject(notifications) ? notifications : {};
        resolve({ kind: 'listening', served, close: () => closing.abort() });
      },
    };
    const { signal } = closing;
    const options = { signal, timeoutMs: NO_DEADLINE_MS, maxBytes: MAX_EVENT_BYTES, listener, isOpenEnded: true };
    void transport.request('subscriptions/listen', { notifications: filter }, options).then((response) => {
      clearTimeout(acknowledgeTimer);
      if (!isOpen) resolve(response.kind === 'result' ? NOT_SERVED : response);
      else if (!signal.aborted) onEnded();
    });
  });
}

const NOT_SERVED = failedResponse('protocol', true, 'the server ended the subscription before it was acknowledged');
