import { hash } from 'node:crypto';
import type { Digest } from '../lib/digest.ts';
import type { Ids } from '../lib/ids.ts';
import { canonicalJson } from '../lib/json/canonical-json.ts';
import type { JsonValue } from '../lib/json/json.ts';

/** Bytes of salt. Without a salt, a short value could be guessed from its digest. */
const SALT_BYTES = 16;
/** Reused input buffer of the hash, for payloads that fit. */
const SCRATCH = Buffer.allocUnsafe(64 * 1_024);

/** A salted digest of a payload. Once the salt is erased, the digest reveals nothing about the payload. */
export interface Commitment {
  readonly digest: Digest;
  readonly salt: Uint8Array;
  /** The committed text: the canonical form (RFC 8785) of arguments, or a result as it is sent to the agent. */
  readonly bytes: string;
}

/** Commits to the canonical form of a value: SHA-256(salt ‖ canonical bytes), with 16 fresh bytes of salt. */
export function commit(value: JsonValue, ids: Ids): Commitment {
  return commitBytes(payloadBytes(value), ids);
}

/** Commits to a text: SHA-256(salt ‖ its UTF-8), with 16 fresh bytes of salt. */
export function commitBytes(bytes: string, ids: Ids): Commitment {
  const salt = ids.randomBytes(SALT_BYTES);
  return { digest: saltedDigest(salt, bytes), salt, bytes };
}

/** The digest of a commitment. */
export function saltedDigest(salt: Uint8Array, bytes: string): Digest {
  // A UTF-16 unit takes at most three bytes of UTF-8, so this bound needs no counting of bytes.
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
    // A lone surrogate has no canonical form, but a tool server may send one and the record must not fail:
    // `JSON.stringify` escapes it.
    return JSON.stringify(value);
  }
}
