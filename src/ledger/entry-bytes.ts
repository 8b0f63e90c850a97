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

/** The leaf hash of an entry's bytes: SHA-256(0x00 ‖ bytes) (RFC 9162 §2.1.1). */
export function leafHash(bytes: string): Uint8Array {
  return hash('sha256', `\u0000${bytes}`, 'buffer');
}

function isTooLong(bytes: string): boolean {
  // No UTF-16 unit takes more than three bytes, so that almost no entry has to be counted.
  return bytes.length * 3 > ENTRY_BYTES_LIMIT && Buffer.byteLength(bytes) > ENTRY_BYTES_LIMIT;
}
