const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * Makes a UUIDv7 (RFC 9562 §5.7) from a time in milliseconds and 10 random bytes; ids of one millisecond sort by
 * `sequence` (12 bits, RFC 9562 §6.2 method 1).
 */
export function uuidv7(timeMs: number, sequence: number, random: Uint8Array): string {
  const high = Math.floor(timeMs / 0x1_0000);
  const low = timeMs % 0x1_0000;
  const time = high.toString(16).padStart(8, '0');
  const rest = low.toString(16).padStart(4, '0');
  const counter = (0x7000 | (sequence & 0x0fff)).toString(16);
  const variant = HEX[0x80 | ((random[0] ?? 0) & 0x3f)];
  let tail = `${variant}${HEX[random[1] ?? 0]}-`;
  for (let index = 2; index < 8; index += 1) tail += HEX[random[index] ?? 0];
  return `${time}-${rest}-${counter}-${tail}`;
}

/** Source of ids and random bytes. Nothing below `app/` generates randomness of its own. */
export interface Ids {
  /** A UUIDv7 (RFC 9562 §5.7), sortable by its creation time. */
  uuidv7(): string;
  /** `length` bytes from a cryptographic generator. */
  randomBytes(length: number): Uint8Array;
}
