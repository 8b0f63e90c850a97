import type { JsonValue } from './json.ts';

/**
 * The canonical form of a JSON value by RFC 8785 (JCS): keys sorted by UTF-16 code unit, no white space,
 * numbers and strings as ECMAScript prints them.
 * @throws RangeError for a number that is not finite, TypeError for anything JSON cannot carry.
 */
export function canonicalJson(value: JsonValue): string {
  switch (typeof value) {
    case 'string':
      return canonicalString(value);
    case 'number':
      if (!Number.isFinite(value)) throw new RangeError('a number that is not finite has no canonical form');
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

/** Longest text that is looked at here: above it the engine's own printer is quicker. */
const SHORT_STRING_LENGTH = 100;
/** A text that prints as itself: ASCII without control characters, quote and backslash. */
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
  // The order is known before anything is printed: what is printed twice at each depth takes time without end.
  if (isInOrder(object)) for (const key in object) text = withMember(text, key, object[key]);
  else for (const key of Object.keys(object).sort()) text = withMember(text, key, object[key]);
  return `${text}}`;
}

/** Entries are written with their keys in order, and looking is quicker than listing and sorting. */
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

/** Keys that were printed before: the same few hundred come again with every entry. Full, it only stops to help. */
const KEY_CACHE = new Map<string, string>();
const KEY_CACHE_SIZE = 2_000;

function canonicalKey(key: string): string {
  const known = KEY_CACHE.get(key);
  if (known !== undefined) return known;
  const printed = `${canonicalString(key)}:`;
  if (key.length <= SHORT_STRING_LENGTH && KEY_CACHE.size < KEY_CACHE_SIZE) KEY_CACHE.set(key, printed);
  return printed;
}
