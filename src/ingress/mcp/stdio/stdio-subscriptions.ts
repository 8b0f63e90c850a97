import type { CancelSignal } from '../../../lib/cancellation.ts';
import type { ListKind } from '../client/list-changed.ts';
import type { ClientSession, RpcRequest } from '../methods/handle-call.ts';
import { errorReply, invalidParamsReply } from '../methods/replies.ts';
import type { McpServices } from '../methods/services.ts';
import { type OpenSubscription, openSubscription } from '../methods/subscriptions-listen.ts';
import type { RequestId } from '../protocol/json-rpc.ts';
import { INTERNAL_ERROR } from '../protocol/json-rpc.ts';

const MAX_SUBSCRIPTIONS = 64;

/** Where the lines of a stream go: in any case, or as long as they are read. */
export interface LineSink {
  write(json: string): void;
  writeUnlessStalled(json: string): void;
}

/** The listen requests of one stream that are open. */
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
  async open(clientSession: ClientSession, request: RpcRequest, signal: CancelSignal): Promise<void> {
    const { id } = request;
    if (this.#openById.size >= MAX_SUBSCRIPTIONS) {
      this.#sink.write(errorReply(id, { code: INTERNAL_ERROR, message: 'Subscription limit reached' }, 200).body);
      return;
    }
    const opened = await openSubscription(this.#services, clientSession, { request, signal });
    if (typeof opened === 'string') this.#sink.write(invalidParamsReply(id, `Invalid params: ${opened}`).body);
    else if (!signal.aborted) this.#start(id, opened);
  }

  notification(list: ListKind): void {
    for (const { subscription } of this.#openById.values()) {
      const changed = subscription.changed(list);
      if (changed !== undefined) this.#sink.write(changed);
    }
  }

  /** The client wants to hear of one no more. */
  cancel(id: RequestId): void {
    this.#openById.get(id)?.end();
    this.#openById.delete(id);
  }

  /** Tells every one that it is over, and ends it. */
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
