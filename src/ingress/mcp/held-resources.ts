import type { RequestId } from './envelope.ts';
import { notificationText } from './notification-text.ts';
import { META_SUBSCRIPTION_ID } from './revisions.ts';

/** The subscriptions to resources of one session, stream or listen request, by the URI as its client wrote it. */
export class HeldResources {
  readonly #ends = new Map<string, () => void>();
  #isOver = false;

  /** Keeps the way to end one, in place of one before; at once where the session ended meanwhile. */
  hold(uri: string, end: () => void): void {
    const before = this.#ends.get(uri);
    if (this.#isOver) end();
    else this.#ends.set(uri, end);
    before?.();
  }

  release(uri: string): void {
    const end = this.#ends.get(uri);
    this.#ends.delete(uri);
    end?.();
  }

  /** Ends all of them, and whichever may still come. */
  end(): void {
    this.#isOver = true;
    for (const uri of [...this.#ends.keys()]) this.release(uri);
  }
}

/** What a client is told of a resource that changed; a modern one under the id of its listen request. */
export function updatedText(uri: string, subscription?: RequestId): string {
  const tag = subscription === undefined ? {} : { _meta: { [META_SUBSCRIPTION_ID]: subscription } };
  return notificationText('notifications/resources/updated', { uri, ...tag });
}
