import type { Cancellation } from '../../../lib/cancellation.ts';
import type { SseStreams } from '../../http/sse-streams.ts';
import type { McpServices } from '../methods/services.ts';
import type { HttpExchange } from './http-exchange.ts';
import type { LegacySessions } from './legacy-sessions.ts';

/** State shared by the routes of `/mcp`. */
export interface EndpointState {
  readonly services: McpServices;
  readonly sessions: LegacySessions;
  readonly streams: SseStreams;
  readonly inFlightCalls: InFlightCalls;
  readonly sendBuffer: SendBufferBudget;
  /** Number of open subscriptions by principal id. */
  readonly subscriptionCounts: Map<string, number>;
  /** True while the headers of a long exchange still authenticate the same principal. */
  isStillAuthenticated(exchange: HttpExchange): boolean;
}

/** The calls in flight of one endpoint: stopping waits for them, then cancels them. */
export class InFlightCalls {
  readonly #controllers = new Set<Cancellation>();
  #emptyWaiters: (() => void)[] = [];

  get size(): number {
    return this.#controllers.size;
  }

  add(controller: Cancellation): void {
    this.#controllers.add(controller);
  }

  delete(controller: Cancellation): void {
    this.#controllers.delete(controller);
    if (this.#controllers.size > 0 || this.#emptyWaiters.length === 0) return;
    for (const resolve of this.#emptyWaiters) resolve();
    this.#emptyWaiters = [];
  }

  /** Cancels every call in flight. */
  abort(): void {
    for (const controller of this.#controllers) controller.abort();
  }

  /** Resolves when no call is in flight. */
  whenEmpty(): Promise<void> {
    if (this.#controllers.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#emptyWaiters.push(resolve));
  }
}

/** Unread bytes of all calls together: many agents that do not read cost no more memory than a few. */
const MAX_TOTAL_BYTES = 64 * 1_048_576;

/** Unread bytes that one call may always have, even when the total is exhausted. */
const MIN_PER_CALL_BYTES = 65_536;

/** Limits the unread bytes of all calls over HTTP together. Notifications beyond the limit are dropped. */
export class SendBufferBudget {
  readonly #maxBytes: number;
  #bufferedBytes = 0;

  constructor(maxBytes: number = MAX_TOTAL_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Opens the account of one call. Release it when all its bytes were read or its client has disconnected. */
  acquire(): BufferLease {
    let leasedBytes = 0;
    const record = (bytes: number): void => {
      this.#bufferedBytes += bytes - leasedBytes;
      leasedBytes = bytes;
    };
    return {
      record,
      hasCapacity: () => leasedBytes <= MIN_PER_CALL_BYTES || this.#bufferedBytes <= this.#maxBytes,
      release: () => record(0),
    };
  }
}

export interface BufferLease {
  /** Sets the number of unread bytes of the call. */
  record(bytes: number): void;
  /** True if the call may write more. */
  hasCapacity(): boolean;
  release(): void;
}
