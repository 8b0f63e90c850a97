import { isJsonObject, type JsonValue } from '../../lib/json/json.ts';

/** Kind of a keyword's value: one schema, a list or a map of schemas, or the operand of an assertion. */
export type KeywordShape =
  | { readonly kind: 'schema'; readonly inPlace: boolean }
  | { readonly kind: 'schemas'; readonly inPlace: boolean }
  | { readonly kind: 'schema-map'; readonly inPlace: boolean }
  | { readonly kind: 'definitions' }
  | { readonly kind: 'assertion'; readonly accepts: (value: JsonValue) => boolean; readonly expected: string }
  | { readonly kind: 'refused'; readonly rejectionReason: string };

const TYPES = new Set(['array', 'boolean', 'integer', 'null', 'number', 'object', 'string']);

function isStringList(value: JsonValue): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isType(value: JsonValue): boolean {
  if (typeof value === 'string') return TYPES.has(value);
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string' && TYPES.has(item));
}

function assertion(accepts: (value: JsonValue) => boolean, expected: string): KeywordShape {
  return { kind: 'assertion', accepts, expected };
}

const NUMBER: KeywordShape = assertion((value) => typeof value === 'number', 'a number');
const NON_NEGATIVE_INTEGER: KeywordShape = assertion(
  (value) => typeof value === 'number' && value >= 0 && value % 1 === 0,
  'a count',
);
const TEXT: KeywordShape = assertion((value) => typeof value === 'string', 'a string');
const LIST: KeywordShape = assertion((value) => Array.isArray(value), 'a list');
const STRINGS: KeywordShape = assertion(isStringList, 'a list of strings');
/** Applies to the same value as its parent schema. */
const SAME_INSTANCE: KeywordShape = { kind: 'schema', inPlace: true };
/** Applies to members or items of the value, so every step consumes some of the value. */
const CHILD_INSTANCE: KeywordShape = { kind: 'schema', inPlace: false };
const DYNAMIC_REFERENCE: KeywordShape = { kind: 'refused', rejectionReason: 'dynamic references are not supported' };

const SHARED: readonly (readonly [string, KeywordShape])[] = [
  ['$ref', TEXT],
  ['$defs', { kind: 'definitions' }],
  ['definitions', { kind: 'definitions' }],
  ['type', assertion(isType, 'a type or a list of types')],
  ['enum', LIST],
  ['const', assertion(() => true, 'a value')],
  ['multipleOf', assertion((value) => typeof value === 'number' && value > 0, 'a number above 0')],
  ['maximum', NUMBER],
  ['exclusiveMaximum', NUMBER],
  ['minimum', NUMBER],
  ['exclusiveMinimum', NUMBER],
  ['maxLength', NON_NEGATIVE_INTEGER],
  ['minLength', NON_NEGATIVE_INTEGER],
  ['pattern', TEXT],
  ['maxItems', NON_NEGATIVE_INTEGER],
  ['minItems', NON_NEGATIVE_INTEGER],
  ['uniqueItems', assertion((value) => typeof value === 'boolean', 'true or false')],
  ['maxProperties', NON_NEGATIVE_INTEGER],
  ['minProperties', NON_NEGATIVE_INTEGER],
  ['required', STRINGS],
  ['allOf', { kind: 'schemas', inPlace: true }],
  ['anyOf', { kind: 'schemas', inPlace: true }],
  ['oneOf', { kind: 'schemas', inPlace: true }],
  ['not', SAME_INSTANCE],
  ['if', SAME_INSTANCE],
  ['then', SAME_INSTANCE],
  ['else', SAME_INSTANCE],
  ['contains', CHILD_INSTANCE],
  ['properties', { kind: 'schema-map', inPlace: false }],
  ['patternProperties', { kind: 'schema-map', inPlace: false }],
  ['additionalProperties', CHILD_INSTANCE],
  ['propertyNames', CHILD_INSTANCE],
  ['$dynamicRef', DYNAMIC_REFERENCE],
  ['$dynamicAnchor', DYNAMIC_REFERENCE],
  ['$recursiveRef', DYNAMIC_REFERENCE],
  ['$recursiveAnchor', DYNAMIC_REFERENCE],
  ['$vocabulary', { kind: 'refused', rejectionReason: 'own vocabularies are not supported' }],
];

/** The enforced keywords of JSON Schema 2020-12. Any other is an annotation and never reaches the compiler. */
export const KEYWORDS_2020: ReadonlyMap<string, KeywordShape> = new Map([
  ...SHARED,
  ['dependentSchemas', { kind: 'schema-map', inPlace: true }],
  ['dependentRequired', assertion((value) => isJsonObject(value) && Object.values(value).every(isStringList), 'a map')],
  ['prefixItems', { kind: 'schemas', inPlace: false }],
  ['items', CHILD_INSTANCE],
  ['minContains', NON_NEGATIVE_INTEGER],
  ['maxContains', NON_NEGATIVE_INTEGER],
  ['unevaluatedProperties', CHILD_INSTANCE],
  // Ajv evaluates it wrongly next to `contains`, `if` and nested `items`.
  ['unevaluatedItems', { kind: 'refused', rejectionReason: '`unevaluatedItems` is not supported' }],
]);

/** The enforced keywords of draft-07, which early MCP servers use. There `items` may also be a list. */
export const KEYWORDS_DRAFT_07: ReadonlyMap<string, KeywordShape> = new Map([
  ...SHARED,
  ['items', CHILD_INSTANCE],
  ['additionalItems', CHILD_INSTANCE],
  ['dependencies', { kind: 'schema-map', inPlace: true }],
]);
