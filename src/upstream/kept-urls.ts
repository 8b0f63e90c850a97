import type { UrlElicitations } from './opened-urls.ts';

/** Calls whose interactions may outlive them; of more the oldest are forgotten. */
const MAX_DETACHED = 64;

/** The interactions of one session that go on after their calls: a server may say later that they are over. */
export class DetachedUrlElicitations {
  readonly #detached = new Set<UrlElicitations>();

  /** Keeps what of a call that ended is still worth telling its agent. */
  add(urls: UrlElicitations): void {
    urls.detach();
    if (!urls.canNotify) return;
    this.#detached.add(urls);
    const [oldest] = this.#detached;
    if (this.#detached.size > MAX_DETACHED && oldest !== undefined) this.#detached.delete(oldest);
  }

  /** @returns false where none of that id is kept, or nobody could be told. */
  complete(id: string): boolean {
    let isNotified = false;
    for (const urls of this.#detached) {
      isNotified = urls.complete(id) || isNotified;
      if (!urls.canNotify) this.#detached.delete(urls);
    }
    return isNotified;
  }

  /** The session is over, and with it what it began. */
  clear(): void {
    this.#detached.clear();
  }
}
