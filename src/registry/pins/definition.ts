import { type Digest, digestOf } from '../../lib/digest.ts';
import { canonicalJson } from '../../lib/json/canonical-json.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
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

/** One difference between two definitions, by JSON Pointer (RFC 6901). An absent side has no value there. */
export interface DefinitionChange {
  readonly pointer: string;
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

/** The differences of `after` from `before`, as deep as possible. Empty when they are equal. */
export function definitionDiff(before: JsonObject, after: JsonObject): readonly DefinitionChange[] {
  const changes: DefinitionChange[] = [];
  collect(changes, '', { before, after });
  return changes;
}

/** Formats changes as lines: `-` is pinned, `+` is current. Escapes non-ASCII characters, so none can hide. */
export function formatDiff(changes: readonly DefinitionChange[]): string {
  return changes
    .flatMap(({ pointer, before, after }) => [
      `  ${escapeCharacters(pointer === '' ? '/' : pointer)}`,
      ...(before === undefined ? [] : [`  - ${formatValue(before)}`]),
      ...(after === undefined ? [] : [`  + ${formatValue(after)}`]),
    ])
    .join('\n');
}

type Sides = { readonly before: JsonValue | undefined; readonly after: JsonValue | undefined };

function collect(changes: DefinitionChange[], pointer: string, { before, after }: Sides): void {
  const beforeEntries = entriesOf(before);
  const afterEntries = entriesOf(after);
  if (beforeEntries !== undefined && afterEntries !== undefined && Array.isArray(before) === Array.isArray(after)) {
    for (const key of new Set([...beforeEntries.keys(), ...afterEntries.keys()])) {
      const step = key.replaceAll('~', '~0').replaceAll('/', '~1');
      collect(changes, `${pointer}/${step}`, { before: beforeEntries.get(key), after: afterEntries.get(key) });
    }
    return;
  }
  if (before !== undefined && after !== undefined && canonicalJson(before) === canonicalJson(after)) return;
  changes.push({ pointer, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) });
}

function entriesOf(value: JsonValue | undefined): Map<string, JsonValue> | undefined {
  if (Array.isArray(value) || isJsonObject(value)) return new Map(Object.entries(value));
  return undefined;
}

function formatValue(value: JsonValue): string {
  return escapeCharacters(JSON.stringify(value));
}

function escapeCharacters(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, (char) => `\\u{${char.codePointAt(0)?.toString(16) ?? ''}}`);
}
