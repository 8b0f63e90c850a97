import { Buffer, isUtf8 } from 'node:buffer';
import type { JsonValue } from './json.ts';

/** Bounds of an untrusted JSON text. */
export interface StrictJsonLimits {
  /** Largest size in bytes of UTF-8. */
  readonly maxBytes: number;
  /** Deepest nesting of arrays and objects; a scalar has depth 0, `[]` depth 1. */
  readonly maxDepth: number;
  /** Accepts integers beyond 2^53 − 1 and numbers that overflow, although parsing changes them. Default: false. */
  readonly allowUnsafeNumbers?: boolean;
  /** Accepts keys named `constructor` and `prototype`: they are data as long as nothing merges objects. Default: false. */
  readonly allowConstructorKeys?: boolean;
}

/** The first defect found in a refused text. */
export type StrictJsonProblem =
  | 'too-large'
  | 'invalid-utf8'
  | 'too-deep'
  | 'syntax'
  | 'duplicate-key'
  | 'forbidden-key'
  | 'lone-surrogate'
  | 'unsafe-number';

export type StrictJsonResult =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly problem: StrictJsonProblem };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * Parses untrusted JSON (RFC 8259) and refuses whatever two parsers could read differently: invalid UTF-8, a byte
 * order mark, duplicate keys, lone surrogates, numbers that parsing would change, and the keys `__proto__`,
 * `constructor` and `prototype` at any depth, however they are escaped. Linear in the size of the text.
 */
export function parseStrictJson(input: Uint8Array | string, limits: StrictJsonLimits): StrictJsonResult {
  if (typeof input !== 'string') {
    if (input.byteLength > limits.maxBytes) return refused('too-large');
    if (!isUtf8(input)) return refused('invalid-utf8');
    return parseText(decodeUtf8(input), limits);
  }
  // A UTF-16 unit takes at most three bytes of UTF-8, so most texts need no exact count.
  if (input.length * 3 > limits.maxBytes && Buffer.byteLength(input) > limits.maxBytes) return refused('too-large');
  return input.isWellFormed() ? parseText(input, limits) : refused('lone-surrogate');
}

function decodeUtf8(bytes: Uint8Array): string {
  // Unlike TextDecoder this keeps a byte order mark, which JSON.parse then refuses.
  return Buffer.isBuffer(bytes)
    ? bytes.toString('utf8')
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

function parseText(text: string, limits: StrictJsonLimits): StrictJsonResult {
  const keysWritten = countKeys(text, limits.maxDepth);
  if (keysWritten < 0) return refused('too-deep');
  let value: JsonValue;
  try {
    // `as`: JSON.parse returns JSON values only.
    value = JSON.parse(text) as JsonValue;
  } catch {
    return refused('syntax');
  }
  const review: Review = {
    keys: 0,
    escapes: text.includes('\\u'),
    constructorKeys: limits.allowConstructorKeys === true,
    hasLargeNumber: false,
  };
  const problem = reviewValue(value, review);
  if (problem !== undefined) return refused(problem);
  // JSON.parse keeps one of two equal keys, so a duplicate exists exactly when fewer keys remain than were written.
  if (review.keys !== keysWritten) return refused('duplicate-key');
  if (review.hasLargeNumber && limits.allowUnsafeNumbers !== true && hasUnsafeNumber(text)) {
    return refused('unsafe-number');
  }
  return { ok: true, value };
}

function refused(problem: StrictJsonProblem): StrictJsonResult {
  return { ok: false, problem };
}

/** Number of colons outside strings, or −1 when brackets nest too deep. Leaves syntax errors to JSON.parse. */
function countKeys(text: string, maxDepth: number): number {
  let keys = 0;
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === QUOTE) {
      index = endOfString(text, index);
    } else if (unit === COLON) {
      keys += 1;
    } else if ((unit | 0x20) === 0x7b) {
      // `[` and `{` differ in one bit, and so do `]` and `}`.
      depth += 1;
      if (depth > maxDepth) return -1;
    } else if ((unit | 0x20) === 0x7d) {
      depth -= 1;
    }
  }
  return keys;
}

/** Index of the quote that closes the string opened at `start`; the length of the text when the string is unclosed. */
function endOfString(text: string, start: number): number {
  const nearby = Math.min(text.length, start + 64);
  let index = start + 1;
  while (index < nearby) {
    const unit = text.charCodeAt(index);
    if (unit === QUOTE) return index;
    index += unit === BACKSLASH ? 2 : 1;
  }
  // For a long string, indexOf and counting the backslashes before the quote is several times faster than a loop over units.
  for (;;) {
    const quote = text.indexOf('"', index);
    if (quote < 0) return text.length;
    let before = quote;
    while (before > index && text.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((quote - before) % 2 === 0) return quote;
    index = quote + 1;
  }
}

interface Review {
  keys: number;
  readonly escapes: boolean;
  readonly constructorKeys: boolean;
  hasLargeNumber: boolean;
}

function reviewValue(value: JsonValue, review: Review): StrictJsonProblem | undefined {
  if (typeof value === 'string') return review.escapes && !value.isWellFormed() ? 'lone-surrogate' : undefined;
  if (typeof value === 'number') {
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) review.hasLargeNumber = true;
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const problem = reviewValue(value[index] ?? null, review);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  return reviewObject(value as Readonly<Record<string, JsonValue>>, review);
}

function reviewObject(object: Readonly<Record<string, JsonValue>>, review: Review): StrictJsonProblem | undefined {
  // Parsed objects inherit nothing enumerable, so for-in visits own keys only, without allocating.
  for (const key in object) {
    review.keys += 1;
    if (isForbidden(key, review.constructorKeys)) return 'forbidden-key';
    if (review.escapes && !key.isWellFormed()) return 'lone-surrogate';
    const problem = reviewValue(object[key] ?? null, review);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isForbidden(key: string, constructorKeys: boolean): boolean {
  return key === '__proto__' || (!constructorKeys && (key === 'constructor' || key === 'prototype'));
}

/** True when valid JSON text holds an integer literal beyond 2^53 − 1, or any number that overflows. */
function hasUnsafeNumber(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === QUOTE) {
      index = endOfString(text, index);
    } else if (unit === 0x2d || (unit >= 0x30 && unit <= 0x39)) {
      const start = index;
      while (/[-+.eE\d]/.test(text.charAt(index + 1))) index += 1;
      const literal = text.slice(start, index + 1);
      // A fraction or exponent is an approximation anyway; a plain integer must keep every digit.
      const number = Number(literal);
      if (!Number.isFinite(number) || (/^-?\d+$/.test(literal) && !Number.isSafeInteger(number))) return true;
    }
  }
  return false;
}
