import type { KeywordDefinition } from 'ajv';
import { canonicalJson } from '../lib/canonical-json.ts';
import type { JsonValue } from '../lib/json.ts';
import { compileLinearPattern, type LinearPattern } from '../lib/linear-pattern.ts';
import { LruMap } from '../lib/lru.ts';

/** What one validation may cost: a schema looked at costs 1 and one more for each schema directly under it. */
export const FUEL_PER_VALIDATION = 400_000;

/** A linear engine's steps that cost as much as looking at one schema. */
const PATTERN_STEPS_PER_FUEL = 16;

/** Thrown out of compiled code when a validation costs too much, and caught where that validation began. */
export class FuelExhausted extends Error {
  override readonly name = 'FuelExhausted';
}

/** Bounds the work of one validation, whatever the schema multiplies. Validations are synchronous, so one tank serves all. */
export class FuelTank {
  #left = 0;

  fill(): void {
    this.#left = FUEL_PER_VALIDATION;
  }

  burn(amount: number): void {
    this.#left -= amount;
    if (this.#left < 0) throw new FuelExhausted('the value is too complex to check');
  }
}

/** What stands beside the vocabulary of Ajv, or in place of parts of it whose cost grows with the square of the data. */
export function ownKeywords(tank: FuelTank): readonly KeywordDefinition[] {
  return [
    {
      keyword: 'fuel',
      schemaType: 'number',
      before: '$ref',
      errors: false,
      compile: (price: number) => () => {
        tank.burn(price);
        return true;
      },
    },
    { keyword: 'enum', schemaType: 'array', errors: false, compile: (values: readonly JsonValue[]) => isOneOf(values) },
    {
      keyword: 'uniqueItems',
      type: 'array',
      schemaType: 'boolean',
      errors: false,
      compile: (unique: boolean) => (unique ? hasUniqueItems : () => true),
    },
  ];
}

function isOneOf(values: readonly JsonValue[]): (value: JsonValue) => boolean {
  const known = new Set(values.map(identityOf));
  return (value) => known.has(identityOf(value));
}

function hasUniqueItems(items: readonly JsonValue[]): boolean {
  const seen = new Set<JsonValue>();
  for (const item of items) {
    const identity = identityOf(item);
    if (seen.has(identity)) return false;
    seen.add(identity);
  }
  return true;
}

/** Two JSON values are equal (JSON Schema core §4.2.2) exactly when these are. */
function identityOf(value: JsonValue): JsonValue {
  // Canonical text of an array or object begins with a bracket; the mark keeps it apart from a string that looks like it.
  if (typeof value === 'object' && value !== null) return `\u0000${canonicalJson(value)}`;
  return typeof value === 'string' && value.startsWith('\u0000') ? `\u0000${value}` : value;
}

/** What Ajv takes for a regular expression engine. */
export interface RegExpEngine {
  (pattern: string, flags: string): { test(text: string): boolean };
  code: string;
}

/** A regular expression engine for Ajv whose expressions match in linear time and pay for it. */
export function linearEngine(tank: FuelTank): RegExpEngine {
  const engine = (source: string) => {
    const pattern = patternOf(source);
    return {
      test(text: string): boolean {
        tank.burn((text.length * pattern.size) / PATTERN_STEPS_PER_FUEL);
        return pattern.test(text);
      },
      // Ajv keeps one expression per text of this: without it all patterns of a schema would become the first.
      toString: () => `linear:${source}`,
    };
  };
  return Object.assign(engine, { code: 'linear' });
}

const recentPatterns = new LruMap<string, LinearPattern>(500);

function patternOf(source: string): LinearPattern {
  const known = recentPatterns.get(source);
  if (known) return known;
  const pattern = compileLinearPattern(source);
  if (!pattern) throw new TypeError('a pattern that was not admitted reached the compiler');
  recentPatterns.set(source, pattern);
  return pattern;
}
