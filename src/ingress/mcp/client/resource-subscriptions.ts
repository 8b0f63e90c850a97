import { encodeNotification } from '../../../domain/mcp/notification.ts';
import type { RequestId } from '../protocol/json-rpc.ts';
import { META_SUBSCRIPTION_ID } from '../protocol/versions.ts';

/** The resource subscriptions of one session, stream or listen request, by the URI as its client wrote it. */
export class ResourceSubscriptions {
  readonly #endByUri = new Map<string, () => void>();
  #isClosed = false;

  /** Adds a subscription by the function that ends it, and ends the previous one. After `closeAll` it is ended at once. */
  add(uri: string, end: () => void): void {
    const previous = this.#endByUri.get(uri);
    if (this.#isClosed) end();
    else this.#endByUri.set(uri, end);
    previous?.();
  }

  remove(uri: string): void {
    const end = this.#endByUri.get(uri);
    this.#endByUri.delete(uri);
    end?.();
  }

  /** Ends all subscriptions, and any that is added later. */
  closeAll(): void {
    this.#isClosed = true;
    for (const uri of [...this.#endByUri.keys()]) this.remove(uri);
  }
}

/** Encodes the notification of a changed resource. For a modern client `subscription` is the id of its listen request. */
export function encodeResourceUpdated(uri: string, subscription?: RequestId): string {
  const tag = subscription === undefined ? {} : { _meta: { [META_SUBSCRIPTION_ID]: subscription } };
  return encodeNotification('notifications/resources/updated', { uri, ...tag });
}
