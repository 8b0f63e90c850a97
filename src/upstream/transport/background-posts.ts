const MAX_IN_FLIGHT = 4;
const MAX_QUEUED = 64;

/** Posts responses to a server's requests: four at a time, 64 queued, the rest dropped. */
export class BackgroundPosts {
  readonly #post: (body: string) => Promise<unknown>;
  readonly #onDropped: () => void;
  readonly #queued: string[] = [];
  #inFlightCount = 0;

  /** `post` MUST NOT reject. */
  constructor(post: (body: string) => Promise<unknown>, onDropped: () => void) {
    this.#post = post;
    this.#onDropped = onDropped;
  }

  add(body: string): void {
    if (this.#inFlightCount < MAX_IN_FLIGHT) void this.#postAll(body);
    else if (this.#queued.length < MAX_QUEUED) this.#queued.push(body);
    else this.#onDropped();
  }

  async #postAll(first: string): Promise<void> {
    this.#inFlightCount += 1;
    for (let body: string | undefined = first; body !== undefined; body = this.#queued.shift()) await this.#post(body);
    this.#inFlightCount -= 1;
  }
}
