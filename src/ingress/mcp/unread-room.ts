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

  /** The place of one call, to be given back at its end. */
  enter(): UnreadPlace {
    let held = 0;
    return {
      hasRoom: (bytes) => {
        this.#waiting += bytes - held;
        held = bytes;
        return bytes <= ALWAYS_BYTES || this.#waiting <= this.#maxBytes;
      },
      leave: () => {
        this.#waiting -= held;
        held = 0;
      },
    };
  }
}

export interface UnreadPlace {
  /** Whether more may wait, where `bytes` do now. */
  hasRoom(bytes: number): boolean;
  leave(): void;
}
