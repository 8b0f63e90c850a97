import { hash } from 'node:crypto';
import { canonicalJson } from '../lib/canonical-json.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Entry } from './entry.ts';

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
export function entryBytes(entry: Entry): string {
  // Entries are JSON by their types; an interface lacks the index signature that would say so.
  const bytes = canonicalJson(entry as unknown as JsonObject);
  if (isTooLong(bytes))
    throw new EntryError(`an entry of kind ${entry.kind} is larger than ${ENTRY_BYTES_LIMIT} bytes`);
  return bytes;
}

/** An entry as it is written: its canonical JSON as UTF-8, and the leaf hash of that. */
export interface EntryLeaf {
  readonly bytes: Uint8Array;
  readonly leaf: Uint8Array;
}

/** Prints and hashes an entry in one buffer, since it goes as bytes to the hash and to the file. @throws as entryBytes. */
export function entryLeaf(entry: Entry): EntryLeaf {
  const text = entryBytes(entry);
  const buffer = Buffer.allocUnsafe(1 + Buffer.byteLength(text));
  buffer[0] = LEAF_PREFIX;
  buffer.write(text, 1);
  return { bytes: buffer.subarray(1), leaf: hash('sha256', buffer, 'buffer') };
}

/** What a leaf is hashed behind, so that no inner node can be taken for one (RFC 9162 §2.1.1). */
const LEAF_PREFIX = 0x00;

/** The leaf hash of an entry's bytes: SHA-256(0x00 ‖ bytes) (RFC 9162 §2.1.1). */
export function leafHash(bytes: string): Uint8Array {
  return hash('sha256', `\u0000${bytes}`, 'buffer');
}

function isTooLong(bytes: string): boolean {
  // No UTF-16 unit takes more than three bytes, so that almost no entry has to be counted.
  return bytes.length * 3 > ENTRY_BYTES_LIMIT && Buffer.byteLength(bytes) > ENTRY_BYTES_LIMIT;
}
