/** Where ids and random bytes come from. Nothing below `app/` draws randomness of its own. */
export interface Ids {
  /** A UUIDv7 (RFC 9562 §5.7), sortable by time of making. */
  uuidv7(): string;
  /** `length` bytes from a cryptographic generator. */
  randomBytes(length: number): Uint8Array;
}
