import type { KeywordDefinition } from 'ajv';
import { canonicalJson } from '../../lib/json/canonical-json.ts';
import { isJsonObject, type JsonValue } from '../../lib/json/json.ts';
import { type Cost, FUEL_PER_VALIDATION } from './cost.ts';
import { compiledPattern } from './pattern.ts';

/** Work per unit of fuel: steps of the pattern engine, UTF-16 units read, UTF-16 units serialized. */
const PATTERN_STEPS_PER_FUEL_UNIT = 2;
const TRAVERSED_UNITS_PER_FUEL_UNIT = 8;
const SERIALIZED_UNITS_PER_FUEL_UNIT = 4;

/** Thrown out of compiled code if a validation exceeds its fuel, and caught where the validation began. */
export class FuelExhausted extends Error {
  override readonly name = 'FuelExhausted';
}

/** Bounds the work of one validation. Validations are synchronous, so those of a schema share one budget. */
export class FuelBudget {
  #remaining = 0;

  reset(): void {
    this.#remaining = FUEL_PER_VALIDATION;
  }

  consume(amount: number): void {
    this.#remaining -= amount;
    if (this.#remaining < 0) throw new FuelExhausted('the value is too complex to check');
  }
}

/** Keywords that extend Ajv's vocabulary, or replace those of its keywords whose cost is quadratic in the data. */
export function ajvKeywords(fuel: FuelBudget): readonly KeywordDefinition[] {
  return [
    {
      keyword: 'fuel',
      schemaType: 'array',
      before: '$ref',
      errors: false,
      compile:
        ([base, perElement]: Cost) =>
        (value: JsonValue) => {
          fuel.consume(perElement === 0 ? base : base + perElement * sizeOf(value));
          return true;
        },
    },
    {
      keyword: 'enum',
      schemaType: 'array',
      errors: false,
      compile: (values: readonly JsonValue[]) => {
        const known = new Set(values.map((value) => identityOf(value, UNLIMITED_FUEL)));
        return (value: JsonValue) => known.has(identityOf(value, fuel));
      },
    },
    {
      keyword: 'uniqueItems',
      type: 'array',
      schemaType: 'boolean',
      errors: false,
      compile: (unique: boolean) => (items: readonly JsonValue[]) => !unique || hasUniqueItems(items, fuel),
    },
  ];
}

const UNLIMITED_FUEL = { consume: () => {} };

function sizeOf(value: JsonValue): number {
  if (typeof value === 'string') return value.length / TRAVERSED_UNITS_PER_FUEL_UNIT;
  if (Array.isArray(value)) return value.length;
  return isJsonObject(value) ? Object.keys(value).length : 0;
}

function hasUniqueItems(items: readonly JsonValue[], fuel: FuelBudget): boolean {
  const identities = new Set<JsonValue>();
  fuel.consume(items.length);
  for (const item of items) {
    const identity = identityOf(item, fuel);
    if (identities.has(identity)) return false;
    identities.add(identity);
  }
  return true;
}

/** Maps equal JSON values (JSON Schema core §4.2.2), and only those, to the same primitive. */
function identityOf(value: JsonValue, fuel: Pick<FuelBudget, 'consume'>): JsonValue {
  if (typeof value === 'object' && value !== null) {
    const text = canonicalJson(value);
    fuel.consume(text.length / SERIALIZED_UNITS_PER_FUEL_UNIT);
    // The prefix distinguishes it from a string of the same characters.
    return `\u0000${text}`;
  }
  return typeof value === 'string' && value.startsWith('\u0000') ? `\u0000${value}` : value;
}

/** Regular expression engine as Ajv expects it. */
export interface RegExpEngine {
  (pattern: string, flags: string): { test(text: string): boolean };
  code: string;
}

/** Creates an engine for Ajv whose patterns match in linear time and consume fuel. */
export function linearEngine(fuel: FuelBudget): RegExpEngine {
  const engine = (source: string) => {
    const pattern = compiledPattern(source);
    if (!pattern) throw new TypeError('a pattern that was not admitted reached the compiler');
    return {
      test(text: string): boolean {
        fuel.consume((text.length * pattern.size) / PATTERN_STEPS_PER_FUEL_UNIT);
        return pattern.test(text);
      },
      // Ajv caches patterns by this text. Without it, all patterns of a schema would become the first.
      toString: () => `linear:${source}`,
    };
  };
  return Object.assign(engine, { code: 'linear' });
}
