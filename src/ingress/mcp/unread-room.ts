/** Bytes that may wait for the agents of all calls together, so that many that do not read cost no more than a few. */
const MAX_TOTAL_BYTES = 64 * 1_048_576;

/** What one call may always have waiting, however little the others read. */
const MIN_PER_CALL_BYTES = 65_536;

/** How much waits for agents to read it, of all calls over HTTP. */
export class SendBufferBudget {
  readonly #maxBytes: number;
  #bufferedBytes = 0;

  constructor(maxBytes: number = MAX_TOTAL_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** The place of one call, to be given back when nothing of it waits any more. */
  acquire(): BufferLease {
    let leasedBytes = 0;
    const record = (bytes: number): void => {
      this.#bufferedBytes += bytes - leasedBytes;
      leasedBytes = bytes;
    };
    return {
      record,
      hasCapacity: () => leasedBytes <= MIN_PER_CALL_BYTES || this.#bufferedBytes <= this.#maxBytes,
      release: () => record(0),
    };
  }
}

export interface BufferLease {
  /** Takes down how many bytes wait now. */
  record(bytes: number): void;
  /** Whether more may wait than does. */
  hasCapacity(): boolean;
  release(): void;
}
