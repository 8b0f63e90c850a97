import type { CancelSignal } from '../../lib/cancellation.ts';
import type { Conversation, RpcRequest } from './answer.ts';
import type { RequestId } from './envelope.ts';
import type { ListSurface } from './list-changes.ts';
import { type Listening, openListening } from './listen.ts';
import { errorReply, invalidParamsReply } from './replies.ts';
import { INTERNAL_ERROR } from './rpc-error.ts';
import type { McpServices } from './services.ts';

const MAX_SUBSCRIPTIONS = 64;

/** Where the lines of a stream go: in any case, or as long as they are read. */
export interface LineSink {
  write(json: string): void;
  writeIfRead(json: string): void;
}

/** The listen requests of one stream that are open. */
export class StdioSubscriptions {
  readonly #services: McpServices;
  readonly #sink: LineSink;
  readonly #open = new Map<RequestId, Listening>();

  constructor(services: McpServices, sink: LineSink) {
    this.#services = services;
    this.#sink = sink;
  }

  has(id: RequestId): boolean {
    return this.#open.has(id);
  }

  /** Serves one listen request up to its acknowledgement. */
  async open(conversation: Conversation, request: RpcRequest, signal: CancelSignal): Promise<void> {
    const { id } = request;
    if (this.#open.size >= MAX_SUBSCRIPTIONS) {
      this.#sink.write(errorReply(id, { code: INTERNAL_ERROR, message: 'Subscription limit reached' }, 200).body);
      return;
    }
    const listening = await openListening(this.#services, conversation, { request, signal });
    if (typeof listening === 'string') this.#sink.write(invalidParamsReply(id, `Invalid params: ${listening}`).body);
    else if (!signal.aborted) this.#start(id, listening);
  }

  changed(surface: ListSurface): void {
    for (const { subscription } of this.#open.values()) {
      const changed = subscription.changed(surface);
      if (changed !== undefined) this.#sink.write(changed);
    }
  }

  /** The client wants to hear of one no more. */
  cancel(id: RequestId): void {
    this.#open.get(id)?.end();
    this.#open.delete(id);
  }

  /** Tells every one that it is over, and ends it. */
  close(): void {
    for (const { subscription } of this.#open.values()) this.#sink.write(subscription.ended);
    this.end();
  }

  end(): void {
    for (const listening of this.#open.values()) listening.end();
    this.#open.clear();
  }

  #start(id: RequestId, listening: Listening): void {
    this.#sink.write(listening.subscription.acknowledged);
    if (!listening.subscription.isServed) {
      this.#sink.write(listening.subscription.ended);
      return;
    }
    this.#open.set(id, listening);
    listening.start((json) => this.#sink.writeIfRead(json));
  }
}
