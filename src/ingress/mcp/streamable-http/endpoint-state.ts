import type { Cancellation } from '../../../lib/cancellation.ts';
import type { SseStreams } from '../../http/sse-streams.ts';
import type { McpServices } from '../methods/services.ts';
import type { HttpExchange } from './http-exchange.ts';
import type { LegacySessions } from './legacy-sessions.ts';

/** What the routes of `/mcp` share. */
export interface EndpointState {
  readonly services: McpServices;
  readonly sessions: LegacySessions;
  readonly streams: SseStreams;
  readonly inFlightCalls: InFlightCalls;
  readonly sendBuffer: SendBufferBudget;
  /** Open subscriptions of each principal. */
  readonly subscriptionCounts: Map<string, number>;
  /** True while the headers of a long exchange still prove the same principal. */
  isStillAuthenticated(exchange: HttpExchange): boolean;
}

/** The calls of one door that are under way, so that stopping can wait for them and then cancel them. */
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

  /** Cancels every call that is under way. */
  abort(): void {
    for (const controller of this.#controllers) controller.abort();
  }

  /** Resolves when no call is under way, at once where that is so. */
  whenEmpty(): Promise<void> {
    if (this.#controllers.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#emptyWaiters.push(resolve));
  }
}

/** Bytes that may wait for the agents of all calls together, so that many that do not read cost no more than a few. */
const MAX_TOTAL_BYTES = 64 * 1_048_576;

/** What one call may always have waiting, however little the others read. */
const MIN_PER_CALL_BYTES = 65_536;

/** How much waits for agents to read it, of all calls over HTTP. */
export class SendBufferBudget {
  readonly #maxBytes: number;
  #bufferedBytes = 0;

  constructor(maxBytes: number = MAX_TOTAL_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** The place of one call, to be given back when nothing of it waits any more. */
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
  /** Takes down how many bytes wait now. */
  record(bytes: number): void;
  /** Whether more may wait than does. */
  hasCapacity(): boolean;
  release(): void;
}
