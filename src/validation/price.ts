import { isJsonObject, type JsonObject, type JsonValue } from '../lib/json.ts';
import { KEYWORDS_2020 } from './keywords.ts';

/** What looking at a value by a schema costs: so much at once, and so much for each element of the value. */
export type Price = readonly [base: number, perElement: number];

/** What one validation may cost. The unit is about 25 ns, so that no validation is felt by other calls. */
export const FUEL_PER_VALIDATION = 1_000_000;

/** An alternative that fails is remembered until another one succeeds. */
const SAME_VALUE = 4;
/** A function is called. What multiplies without end has to go through one. */
const REFERENCE = 25;

/** The price of a schema that is nothing but a `$ref`. */
export const REFERENCE_PRICE: Price = [REFERENCE, 0];

/** Keywords that walk over members, items or characters. */
const WALKING = new Set([
  'additionalProperties',
  'contains',
  'items',
  'maxLength',
  'maxProperties',
  'minLength',
  'minProperties',
  'patternProperties',
  'propertyNames',
  'unevaluatedProperties',
]);

/** The price of a schema in 2020-12, without its subschemas' own; undefined for a leaf, which its parent pays for. */
export function priceOf(schema: JsonObject): Price | undefined {
  let base = 0;
  let perElement = 0;
  for (const [keyword, value] of Object.entries(schema)) {
    base += baseOf(keyword, value);
    if (WALKING.has(keyword)) perElement += keyword === 'patternProperties' ? countOf(value) : 1;
  }
  return base === 0 && perElement === 0 ? undefined : [base + 1, perElement];
}

function baseOf(keyword: string, value: JsonValue): number {
  if (keyword === '$ref') return REFERENCE;
  if (keyword === 'dependentRequired') return countOf(value);
  const shape = KEYWORDS_2020.get(keyword);
  if (shape === undefined || !('inPlace' in shape)) return 0;
  return countOf(shape.kind === 'schema' ? [value] : value) * (shape.inPlace ? SAME_VALUE : 1);
}

function countOf(value: JsonValue): number {
  if (Array.isArray(value)) return value.length;
  return isJsonObject(value) ? Object.keys(value).length : 0;
}
