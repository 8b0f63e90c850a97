/** Bytes that may wait for the agents of all calls together, so that many that do not read cost no more than a few. */
const MAX_ALL_BYTES = 64 * 1_048_576;

/** What one call may always have waiting, however little the others read. */
const ALWAYS_BYTES = 65_536;

/** How much waits for agents to read it, of all calls over HTTP. */
export class UnreadRoom {
  readonly #maxBytes: number;
  #waiting = 0;

  constructor(maxBytes: number = MAX_ALL_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** The place of one call, to be given back when nothing of it waits any more. */
  enter(): UnreadPlace {
    let held = 0;
    const note = (bytes: number): void => {
      this.#waiting += bytes - held;
      held = bytes;
    };
    return {
      note,
      hasRoom: () => held <= ALWAYS_BYTES || this.#waiting <= this.#maxBytes,
      leave: () => note(0),
    };
  }
}

export interface UnreadPlace {
  /** Takes down how many bytes wait now. */
  note(bytes: number): void;
  /** Whether more may wait than does. */
  hasRoom(): boolean;
  leave(): void;
}
