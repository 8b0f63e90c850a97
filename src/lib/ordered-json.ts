import { canonicalJson } from './canonical-json.ts';
import type { JsonObject, JsonValue } from './json.ts';

/**
 * The canonical form (RFC 8785) of a value, several times as fast as `canonicalJson` when the keys of its objects stand
 * in order already, and the same text always. Throws as `canonicalJson` does.
 */
export function orderedJson(value: JsonValue): string {
  if (isInOrder(value)) {
    const text = JSON.stringify(value);
    // Only a lone surrogate, which has no canonical form, prints so; a backslash before `ud` looks alike and costs time only.
    if (!text.includes('\\ud')) return text;
  }
  return canonicalJson(value);
}

/** The object with the keys of the objects in it in canonical order, as far as a copy can have them; itself when they are. */
export function inOrder(object: JsonObject): JsonObject {
  return isInOrder(object) ? object : sortedObject(object);
}

/** True when plain printing gives the canonical form, lone surrogates aside. */
function isInOrder(value: JsonValue | undefined): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return typeof value !== 'bigint';
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) if (!isInOrder(value[index])) return false;
    return true;
  }
  return isObjectInOrder(value as JsonObject);
}

function isObjectInOrder(object: JsonObject): boolean {
  let previous = '';
  for (const key in object) {
    // RFC 8785 §3.2.3: keys sort by UTF-16 code unit, which is what `<` compares.
    if (key < previous || !isInOrder(object[key])) return false;
    previous = key;
  }
  return true;
}

function sorted(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? value.map(sorted) : sortedObject(value as JsonObject);
}

function sortedObject(object: JsonObject): JsonObject {
  // Assigning it would set the prototype of the copy.
  if (Object.hasOwn(object, '__proto__')) return object;
  const copy: Record<string, JsonValue> = {};
  for (const key of Object.keys(object).sort()) {
    const member = object[key];
    if (member !== undefined) copy[key] = sorted(member);
  }
  return copy;
}
