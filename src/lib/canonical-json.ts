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
      return JSON.stringify(value);
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

function canonicalString(text: string): string {
  // RFC 8785 §3.2.2.2: a lone surrogate is an error, not an escape.
  if (!text.isWellFormed()) throw new TypeError('a lone surrogate has no canonical form');
  return JSON.stringify(text);
}

function canonicalArray(items: readonly JsonValue[]): string {
  let text = '[';
  for (let index = 0; index < items.length; index += 1) {
    if (index > 0) text += ',';
    text += canonicalJson(items[index] ?? null);
  }
  return `${text}]`;
}

function canonicalObject(object: Readonly<Record<string, JsonValue>>): string {
  // RFC 8785 §3.2.3: keys sort by UTF-16 code unit, which is what the default sort does.
  const keys = Object.keys(object).sort();
  let text = '{';
  let first = true;
  for (const key of keys) {
    const member = object[key];
    if (member === undefined) continue;
    if (!first) text += ',';
    first = false;
    text += `${canonicalString(key)}:${canonicalJson(member)}`;
  }
  return `${text}}`;
}
