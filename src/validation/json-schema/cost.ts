import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { KEYWORDS_2020 } from './keywords.ts';

/** What looking at a value by a schema costs: so much at once, and so much for each element of the value. */
export type Cost = readonly [base: number, perElement: number];

/** What one validation may cost. The unit is about 25 ns, so that no validation is felt by other calls. */
export const FUEL_PER_VALIDATION = 1_000_000;

/** An alternative that fails is remembered until another one succeeds. */
const SAME_INSTANCE_COST = 4;
/** A function is called. What multiplies without end has to go through one. */
const REFERENCE_KEYWORDS = 25;

/** The price of a schema that is nothing but a `$ref`. */
export const REFERENCE_COST: Cost = [REFERENCE_KEYWORDS, 0];

/** Keywords that walk over members, items or characters. */
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

/** The price of a schema in 2020-12, without its subschemas' own; undefined for a leaf, which its parent pays for. */
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
  if (keyword === '$ref') return REFERENCE_KEYWORDS;
  if (keyword === 'dependentRequired') return elementCount(value);
  const shape = KEYWORDS_2020.get(keyword);
  if (shape === undefined || !('inPlace' in shape)) return 0;
  return elementCount(shape.kind === 'schema' ? [value] : value) * (shape.inPlace ? SAME_INSTANCE_COST : 1);
}

function elementCount(value: JsonValue): number {
  if (Array.isArray(value)) return value.length;
  return isJsonObject(value) ? Object.keys(value).length : 0;
}
