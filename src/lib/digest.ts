import { hash } from 'node:crypto';
import { canonicalJson } from './json/canonical-json.ts';
import type { JsonValue } from './json/json.ts';

/** A SHA-256 digest in the form `sha256:<64 hex digits>`. */
export type Digest = `sha256:${string}`;

/** SHA-256 of text (as UTF-8) or bytes, in the form `sha256:<hex>`. */
export function digestOf(data: string | Uint8Array): Digest {
  return `sha256:${hash('sha256', data, 'hex')}`;
}

/** SHA-256 of the canonical form (RFC 8785) of a JSON value. */
export function digestOfJson(value: JsonValue): Digest {
  return digestOf(canonicalJson(value));
}
