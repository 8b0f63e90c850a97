import { type Digest, digestOf } from '../../lib/digest.ts';
import { canonicalJson } from '../../lib/json/canonical-json.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { parseStrictJson } from '../../lib/json/strict-json.ts';

/** Largest definition accepted, in bytes of its canonical form. */
export const MAX_DEFINITION_BYTES = 524_288;
const MAX_DEFINITION_DEPTH = 128;

/** The digest of a definition, or the reason why it has none. */
export type DefinitionDigest = { readonly digest: Digest } | { readonly rejectionReason: string };

const cachedDigests = new WeakMap<JsonObject, DefinitionDigest>();

/**
 * SHA-256 of the canonical form (RFC 8785) of a whole definition: name, title, description, schemas, annotations, icons,
 * `_meta` and everything else the server declares, because all of it reaches agents.
 */
export function definitionDigest(definition: JsonObject): DefinitionDigest {
  // Every change of a server evaluates thousands of definitions again; each is hashed once.
  const cached = cachedDigests.get(definition);
  if (cached !== undefined) return cached;
  const computed = compute(definition);
  cachedDigests.set(definition, computed);
  return computed;
}

function compute(definition: JsonObject): DefinitionDigest {
  const text = canonicalOrUndefined(definition);
  if (text === undefined) return { rejectionReason: 'its definition has no canonical form' };
  // A pinned definition is written to a file and parsed strictly again, so it must pass the strict parser now.
  const limits = { maxBytes: MAX_DEFINITION_BYTES, maxDepth: MAX_DEFINITION_DEPTH, allowUnsafeNumbers: true };
  const strict = parseStrictJson(text, limits);
  return strict.ok
    ? { digest: digestOf(text) }
    : { rejectionReason: `its definition is refused as JSON (${strict.problem})` };
}

function canonicalOrUndefined(definition: JsonObject): string | undefined {
  try {
    return canonicalJson(definition);
  } catch (error) {
    // Lone surrogates, infinite numbers and nesting beyond the stack are invalid input, not a defect of the broker.
    if (error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}
