import { encodeNotification } from '../../../domain/mcp/notification.ts';
import type { RequestId } from '../protocol/json-rpc.ts';
import { META_SUBSCRIPTION_ID } from '../protocol/versions.ts';

/** The subscriptions to resources of one session, stream or listen request, by the URI as its client wrote it. */
export class ResourceSubscriptions {
  readonly #endByUri = new Map<string, () => void>();
  #isClosed = false;

  /** Keeps the way to end one, in place of one before; at once where the session ended meanwhile. */
  add(uri: string, closeAll: () => void): void {
    const previous = this.#endByUri.get(uri);
    if (this.#isClosed) closeAll();
    else this.#endByUri.set(uri, closeAll);
    previous?.();
  }

  remove(uri: string): void {
    const closeAll = this.#endByUri.get(uri);
    this.#endByUri.delete(uri);
    closeAll?.();
  }

  /** Ends all of them, and whichever may still come. */
  closeAll(): void {
    this.#isClosed = true;
    for (const uri of [...this.#endByUri.keys()]) this.remove(uri);
  }
}

/** What a client is told of a resource that changed; a modern one under the id of its listen request. */
export function encodeResourceUpdated(uri: string, subscription?: RequestId): string {
  const tag = subscription === undefined ? {} : { _meta: { [META_SUBSCRIPTION_ID]: subscription } };
  return encodeNotification('notifications/resources/updated', { uri, ...tag });
}
