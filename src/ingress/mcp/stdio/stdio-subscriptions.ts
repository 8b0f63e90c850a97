import type { CancelSignal } from '../../../lib/cancellation.ts';
import type { ListKind } from '../client/list-changed.ts';
import type { ClientSession } from '../methods/handle-call.ts';
import { type OpenSubscription, openSubscription } from '../methods/open-subscription.ts';
import { errorReply, invalidParamsReply } from '../methods/reply.ts';
import type { McpServices } from '../methods/services.ts';
import { INTERNAL_ERROR, type JsonRpcRequest, type RequestId } from '../protocol/json-rpc.ts';

const MAX_SUBSCRIPTIONS = 64;

/** Output of a stream. */
export interface LineSink {
  write(json: string): void;
  /** Drops the line while the client does not read. */
  writeUnlessStalled(json: string): void;
}

/** The open `subscriptions/listen` requests of one stream. */
export class StdioSubscriptions {
  readonly #services: McpServices;
  readonly #sink: LineSink;
  readonly #openById = new Map<RequestId, OpenSubscription>();

  constructor(services: McpServices, sink: LineSink) {
    this.#services = services;
    this.#sink = sink;
  }

  has(id: RequestId): boolean {
    return this.#openById.has(id);
  }

  /** Serves one listen request up to its acknowledgement. */
  async open(clientSession: ClientSession, request: JsonRpcRequest, signal: CancelSignal): Promise<void> {
    const { id } = request;
    if (this.#openById.size >= MAX_SUBSCRIPTIONS) {
      this.#sink.write(errorReply(id, { code: INTERNAL_ERROR, message: 'Subscription limit reached' }, 200).body);
      return;
    }
    const opened = await openSubscription(this.#services, clientSession, { request, signal });
    if (typeof opened === 'string') this.#sink.write(invalidParamsReply(id, `Invalid params: ${opened}`).body);
    else if (!signal.aborted) this.#start(id, opened);
  }

  /** Notifies the subscriptions to a list that changed. */
  notifyListChanged(list: ListKind): void {
    for (const { subscription } of this.#openById.values()) {
      const changed = subscription.changed(list);
      if (changed !== undefined) this.#sink.write(changed);
    }
  }

  /** Ends a subscription that the client cancelled. */
  cancel(id: RequestId): void {
    this.#openById.get(id)?.end();
    this.#openById.delete(id);
  }

  /** Ends every subscription gracefully: its client receives the final result. */
  close(): void {
    for (const { subscription } of this.#openById.values()) this.#sink.write(subscription.ended);
    this.end();
  }

  end(): void {
    for (const opened of this.#openById.values()) opened.end();
    this.#openById.clear();
  }

  #start(id: RequestId, opened: OpenSubscription): void {
    this.#sink.write(opened.subscription.acknowledged);
    if (!opened.subscription.isServed) {
      this.#sink.write(opened.subscription.ended);
      return;
    }
    this.#openById.set(id, opened);
    opened.start((json) => this.#sink.writeUnlessStalled(json));
  }
}
