import type { OpenedUrls } from './opened-urls.ts';

/** Calls whose interactions may outlive them; of more the oldest are forgotten. */
const MAX_KEPT = 64;

/** The interactions of one session that go on after their calls: a server may say later that they are over. */
export class KeptUrls {
  readonly #kept = new Set<OpenedUrls>();

  /** Keeps what of a call that ended is still worth telling its agent. */
  keep(urls: OpenedUrls): void {
    urls.outlive();
    if (!urls.mayBeTold) return;
    this.#kept.add(urls);
    const [oldest] = this.#kept;
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** @returns false where none of that id is kept, or nobody could be told. */
  complete(id: string): boolean {
    let isTold = false;
    for (const urls of this.#kept) {
      isTold = urls.complete(id) || isTold;
      if (!urls.mayBeTold) this.#kept.delete(urls);
    }
    return isTold;
  }

  /** The session is over, and with it what it began. */
  clear(): void {
    this.#kept.clear();
  }
}
