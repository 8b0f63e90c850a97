import { hash } from 'node:crypto';
import type { Digest } from '../lib/digest.ts';
import type { Ids } from '../lib/ids.ts';
import { canonicalJson } from '../lib/json/canonical-json.ts';
import type { JsonValue } from '../lib/json/json.ts';

/** Bytes of salt: without it a short value could be found from its digest by trying. */
const SALT_BYTES = 16;
/** Where most of what is hashed is laid out, for as long as that takes. */
const SCRATCH = Buffer.allocUnsafe(64 * 1_024);

/** A promise about a payload that says nothing of it once the salt is erased. */
export interface Commitment {
  readonly digest: Digest;
  readonly salt: Uint8Array;
  /** What was committed to: the canonical form (RFC 8785) of arguments, a result as it goes out. */
  readonly bytes: string;
}

/** Commits to the canonical form of a value: SHA-256(salt ‖ canonical bytes), with 16 fresh bytes of salt. */
export function commit(value: JsonValue, ids: Ids): Commitment {
  return commitBytes(payloadBytes(value), ids);
}

/** Commits to a text as it is: SHA-256(salt ‖ its UTF-8), with 16 fresh bytes of salt. */
export function commitBytes(bytes: string, ids: Ids): Commitment {
  const salt = ids.randomBytes(SALT_BYTES);
  return { digest: saltedDigest(salt, bytes), salt, bytes };
}

/** The digest of a commitment. */
export function saltedDigest(salt: Uint8Array, bytes: string): Digest {
  // A UTF-16 unit takes at most three bytes of UTF-8: what surely fits needs neither counting nor memory of its own.
  const fits = salt.length + bytes.length * 3 <= SCRATCH.length;
  const input = fits ? SCRATCH : Buffer.allocUnsafe(salt.length + Buffer.byteLength(bytes));
  input.set(salt, 0);
  const end = salt.length + input.write(bytes, salt.length);
  return `sha256:${hash('sha256', input.subarray(0, end), 'hex')}`;
}

function payloadBytes(value: JsonValue): string {
  try {
    return canonicalJson(value);
  } catch {
    // A lone surrogate has no canonical form, yet a tool server may send one and the record must not fail for it:
    // ECMAScript prints it as an escape.
    return JSON.stringify(value);
  }
}
