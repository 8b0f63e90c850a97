import { type Digest, digestOf } from '../../lib/digest.ts';
import { canonicalJson } from '../../lib/json/canonical-json.ts';
import type { JsonObject } from '../../lib/json/json.ts';
import { parseStrictJson } from '../../lib/json/strict-json.ts';

/** Largest definition of one tool that is read, in bytes of its canonical form. */
export const MAX_DEFINITION_BYTES = 524_288;
const MAX_DEFINITION_DEPTH = 128;

/** The digest of a definition, or why it has none. */
export type DefinitionDigest = { readonly digest: Digest } | { readonly rejectionReason: string };

const cachedDigests = new WeakMap<JsonObject, DefinitionDigest>();

/**
 * SHA-256 over the canonical form (RFC 8785) of a tool's whole definition: name, title, description, schemas,
 * annotations, icons, `_meta` and whatever else the server declares, for all of it is passed on to agents.
 */
export function definitionDigest(definition: JsonObject): DefinitionDigest {
  // A list of thousands of tools is looked at again whenever one server changes; each definition is hashed once.
  const before = cachedDigests.get(definition);
  if (before !== undefined) return before;
  const computed = compute(definition);
  cachedDigests.set(definition, computed);
  return computed;
}

function compute(definition: JsonObject): DefinitionDigest {
  const text = canonicalOrUndefined(definition);
  if (text === undefined) return { rejectionReason: 'its definition has no canonical form' };
  // What is pinned is written to a file and read again: a definition that a strict reader refuses is never pinned.
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
    // Lone surrogates, infinite numbers and nesting beyond the stack: the upstream's doing, not a defect of ours.
    if (error instanceof TypeError || error instanceof RangeError) return undefined;
    throw error;
  }
}
