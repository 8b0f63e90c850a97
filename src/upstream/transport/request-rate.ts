const MAX_REQUESTS = 1_024;
const WINDOW_MS = 10_000;

/** Counts the requests of a server on a stream that belongs to no call. */
export class RequestRate {
  #count = 0;
  #window: NodeJS.Timeout | undefined;

  /** True after more than 1,024 requests within ten seconds, until those seconds are over. */
  get isExceeded(): boolean {
    return this.#count > MAX_REQUESTS;
  }

  record(): void {
    this.#count += 1;
    if (this.#window !== undefined) return;
    this.#window = setTimeout(() => {
      this.#count = 0;
      this.#window = undefined;
    }, WINDOW_MS);
    this.#window.unref();
  }
}
