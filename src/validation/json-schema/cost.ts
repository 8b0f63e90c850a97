import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { KEYWORDS_2020 } from './keywords.ts';

/** Fuel for checking one value against a schema: a base, and an amount per element of the value. */
export type Cost = readonly [base: number, perElement: number];

/** Fuel of one validation. A unit is about 25 ns, so no validation delays other calls noticeably. */
export const FUEL_PER_VALIDATION = 1_000_000;

/** Errors of a failed alternative are kept until another one succeeds. */
const SAME_INSTANCE_COST = 4;
/** A reference is a function call. Work can only multiply without limit through references. */
const REFERENCE_BASE_COST = 25;

/** Cost of a schema that consists of a `$ref`. */
export const REFERENCE_COST: Cost = [REFERENCE_BASE_COST, 0];

/** Keywords that visit all members, items or characters. */
const TRAVERSAL_KEYWORDS = new Set([
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

/** Returns the cost of a schema in 2020-12 without its subschemas; undefined for a leaf, which its parent accounts for. */
export function costOf(schema: JsonObject): Cost | undefined {
  let base = 0;
  let perElement = 0;
  for (const [keyword, value] of Object.entries(schema)) {
    base += baseCost(keyword, value);
    if (TRAVERSAL_KEYWORDS.has(keyword)) perElement += keyword === 'patternProperties' ? elementCount(value) : 1;
  }
  return base === 0 && perElement === 0 ? undefined : [base + 1, perElement];
}

function baseCost(keyword: string, value: JsonValue): number {
  if (keyword === '$ref') return REFERENCE_BASE_COST;
  if (keyword === 'dependentRequired') return elementCount(value);
  const shape = KEYWORDS_2020.get(keyword);
  if (shape === undefined || !('inPlace' in shape)) return 0;
  return elementCount(shape.kind === 'schema' ? [value] : value) * (shape.inPlace ? SAME_INSTANCE_COST : 1);
}

function elementCount(value: JsonValue): number {
  if (Array.isArray(value)) return value.length;
  return isJsonObject(value) ? Object.keys(value).length : 0;
}
