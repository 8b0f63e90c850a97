import { hash } from 'node:crypto';
import type { Entry } from './entry.ts';
import { serializeEntry } from './print-entry.ts';

/** Largest entry, in bytes of UTF-8: what the two length bytes of an entry bundle can say (C2SP tlog-tiles). */
export const ENTRY_BYTES_LIMIT = 65_535;

/** An entry that cannot be recorded, so that what it tells of must not happen. */
export class EntryError extends Error {
  override readonly name = 'EntryError';
}

/**
 * The bytes of an entry: its canonical JSON (RFC 8785).
 * @throws EntryError when they are more than 65,535, or when the entry has no canonical form.
 */
export function encodeEntry(entry: Entry): string {
  const bytes = serializeEntry(entry);
  if (exceedsLimit(bytes))
    throw new EntryError(`an entry of kind ${entry.kind} is larger than ${ENTRY_BYTES_LIMIT} bytes`);
  return bytes;
}

/** What a leaf is hashed behind, so that no inner node can be taken for one (RFC 9162 §2.1.1). */
const LEAF_PREFIX = '\u0000';

/** The text whose SHA-256 is the leaf hash of an entry, and which holds the entry after its first byte. @throws as entryBytes. */
export function serializeLeaf(entry: Entry): string {
  return LEAF_PREFIX + encodeEntry(entry);
}

/** The leaf hash of an entry's bytes: SHA-256(0x00 ‖ bytes) (RFC 9162 §2.1.1). */
export function leafHash(bytes: string): Uint8Array {
  return hash('sha256', LEAF_PREFIX + bytes, 'buffer');
}

function exceedsLimit(bytes: string): boolean {
  // No UTF-16 unit takes more than three bytes, so that almost no entry has to be counted.
  return bytes.length * 3 > ENTRY_BYTES_LIMIT && Buffer.byteLength(bytes) > ENTRY_BYTES_LIMIT;
}
