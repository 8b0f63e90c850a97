const MOST_UNDER_WAY = 4;
const MOST_WAITING = 64;

/** What one channel posts on account of its server's requests: so many at a time, so many in wait, and the rest dropped. */
export class AsideQueue {
  readonly #post: (body: string) => Promise<unknown>;
  readonly #onDropped: () => void;
  readonly #waiting: string[] = [];
  #underWay = 0;

  /** `post` MUST NOT reject. */
  constructor(post: (body: string) => Promise<unknown>, onDropped: () => void) {
    this.#post = post;
    this.#onDropped = onDropped;
  }

  add(body: string): void {
    if (this.#underWay < MOST_UNDER_WAY) void this.#postAll(body);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(body);
    else this.#onDropped();
  }

  async #postAll(first: string): Promise<void> {
    this.#underWay += 1;
    for (let body: string | undefined = first; body !== undefined; body = this.#waiting.shift()) await this.#post(body);
    this.#underWay -= 1;
  }
}
