import { hash, timingSafeEqual } from 'node:crypto';
import type { Ids } from '../lib/ids.ts';

/** The parts of `sen_<id>_<secret>`: the id is public, the secret has 256 bits and is kept as SHA-256 only. */
export interface ApiKeyParts {
  readonly id: string;
  readonly secret: string;
}

const KEY_FORMAT = /^sen_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

/** The parts of a presented key; undefined when it does not have the form of one. */
export function parseApiKey(text: string): ApiKeyParts | undefined {
  // The form is of fixed length, so that a long header costs no more than its length check.
  if (text.length !== 64) return undefined;
  const match = KEY_FORMAT.exec(text);
  return match?.[1] !== undefined && match[2] !== undefined ? { id: match[1], secret: match[2] } : undefined;
}

/** A new key. The whole text is shown to its maker once and never kept. */
export function createApiKey(ids: Ids): { readonly id: string; readonly key: string; readonly secretHash: Uint8Array } {
  const id = Buffer.from(ids.randomBytes(8)).toString('hex');
  const secret = Buffer.from(ids.randomBytes(32)).toString('base64url');
  return { id, key: `sen_${id}_${secret}`, secretHash: hashSecret(secret) };
}

/** SHA-256 of a key's secret: enough for 256 random bits, where a slow hash would only serve an attacker of the broker. */
export function hashSecret(secret: string): Uint8Array {
  return hash('sha256', secret, 'buffer');
}

/** Compares in constant time; false when the lengths differ. */
export function hashesMatch(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
