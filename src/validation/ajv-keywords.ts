import type { KeywordDefinition } from 'ajv';
import { canonicalJson } from '../lib/canonical-json.ts';
import { isJsonObject, type JsonValue } from '../lib/json.ts';
import { patternOf } from './pattern.ts';
import { FUEL_PER_VALIDATION, type Price } from './price.ts';

/** Steps of the linear engine, units of text that is walked, and units of text that is built, for one unit of fuel. */
const PATTERN_STEPS_PER_FUEL = 2;
const WALKED_UNITS_PER_FUEL = 8;
const BUILT_UNITS_PER_FUEL = 4;

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
      schemaType: 'array',
      before: '$ref',
      errors: false,
      compile:
        ([base, perElement]: Price) =>
        (value: JsonValue) => {
          tank.burn(perElement === 0 ? base : base + perElement * sizeOf(value));
          return true;
        },
    },
    {
      keyword: 'enum',
      schemaType: 'array',
      errors: false,
      compile: (values: readonly JsonValue[]) => {
        const known = new Set(values.map((value) => identityOf(value, NO_TANK)));
        return (value: JsonValue) => known.has(identityOf(value, tank));
      },
    },
    {
      keyword: 'uniqueItems',
      type: 'array',
      schemaType: 'boolean',
      errors: false,
      compile: (unique: boolean) => (items: readonly JsonValue[]) => !unique || hasUniqueItems(items, tank),
    },
  ];
}

const NO_TANK = { burn: () => {} };

function sizeOf(value: JsonValue): number {
  if (typeof value === 'string') return value.length / WALKED_UNITS_PER_FUEL;
  if (Array.isArray(value)) return value.length;
  return isJsonObject(value) ? Object.keys(value).length : 0;
}

function hasUniqueItems(items: readonly JsonValue[], tank: FuelTank): boolean {
  const seen = new Set<JsonValue>();
  tank.burn(items.length);
  for (const item of items) {
    const identity = identityOf(item, tank);
    if (seen.has(identity)) return false;
    seen.add(identity);
  }
  return true;
}

/** Two JSON values are equal (JSON Schema core §4.2.2) exactly when these are. */
function identityOf(value: JsonValue, tank: Pick<FuelTank, 'burn'>): JsonValue {
  if (typeof value === 'object' && value !== null) {
    const text = canonicalJson(value);
    tank.burn(text.length / BUILT_UNITS_PER_FUEL);
    // The mark keeps it apart from a string that looks like it.
    return `\u0000${text}`;
  }
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
    if (!pattern) throw new TypeError('a pattern that was not admitted reached the compiler');
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
