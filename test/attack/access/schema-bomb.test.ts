import { expect } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/lib/json/json.ts';
import { admitTool } from '../../../src/validation/input.ts';
import { SchemaCompiler } from '../../../src/validation/json-schema/compile.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';

/** What the bomb ends in: a quarantined tool, a value that is refused as too complex, or a plain verdict. */
function ending(more: JsonObject, value: JsonValue): string {
  const inputSchema: JsonObject = { type: 'object', ...more };
  if (!admitTool({ name: 't', inputSchema }).admitted) return 'quarantined';
  const [error] = new SchemaCompiler().compile(inputSchema).validate(value);
  return error === undefined ? 'valid' : error.keyword;
}

/** n definitions, each of which looks at the next one twice. */
function doubling(keyword: string, depth: number, last: JsonObject): JsonObject {
  const $defs: Record<string, JsonValue> = { [`d${depth}`]: last };
  for (let index = 0; index < depth; index += 1) {
    const next = { $ref: `#/$defs/d${index + 1}` };
    $defs[`d${index}`] = { [keyword]: [next, next] };
  }
  return $defs;
}

verifies('P10')('`anyOf` that doubles 40 times runs out of fuel', () => {
  expect(ending({ $defs: doubling('anyOf', 40, { type: 'string' }), $ref: '#/$defs/d0' }, {})).toBe('fuel');
});

verifies('P10')('a doubled scan of a long string runs out of fuel', () => {
  const $defs = doubling('allOf', 40, { maxLength: 2_000_000 });
  expect(ending({ $defs, properties: { x: { $ref: '#/$defs/d0' } } }, { x: 'a'.repeat(1_000_000) })).toBe('fuel');
});

verifies('P10')('a recursive schema that doubles with the depth of the value runs out of fuel', () => {
  const next = { properties: { x: { $ref: '#/$defs/n' } } };
  const value = Array.from({ length: 60 }).reduce<JsonObject>((inner) => ({ x: inner }), {});
  expect(ending({ $defs: { n: { allOf: [next, next] } }, $ref: '#/$defs/n' }, value)).toBe('fuel');
});

verifies('P10')('an expression that backtracks without end elsewhere gives a verdict', () => {
  const properties = { a: { type: 'string', pattern: '^(a+)+$' } };
  expect(ending({ properties }, { a: `${'a'.repeat(50_000)}!` })).toBe('pattern');
});

verifies('P10')('a large expression over a long text runs out of fuel', () => {
  const properties = { a: { type: 'string', pattern: '(a|b)*a(a|b){500}c' } };
  expect(ending({ properties }, { a: 'abbabaab'.repeat(100_000) })).toBe('fuel');
});

verifies('P10')('200 alternatives over 100,000 items run out of fuel', () => {
  const allOf = Array.from({ length: 200 }, () => ({ minimum: 0 }));
  const properties = { a: { type: 'array', items: { allOf } } };
  expect(ending({ properties }, { a: Array.from({ length: 100_000 }, () => 1) })).toBe('fuel');
});

verifies('P10')('20,000 different objects are found to be unique', () => {
  const properties = { a: { type: 'array', uniqueItems: true } };
  expect(ending({ properties }, { a: Array.from({ length: 20_000 }, (_, n) => ({ n })) })).toBe('valid');
});

verifies('P10')('10,000 properties are quarantined', () => {
  const properties = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`p${n}`, {}]));
  expect(ending({ properties }, {})).toBe('quarantined');
});

verifies('P10')('an array that nests 100,000 deep in a schema is quarantined', () => {
  let nested: JsonValue = [];
  for (let depth = 0; depth < 100_000; depth += 1) nested = [nested];
  expect(ending({ default: nested }, {})).toBe('quarantined');
});

verifies('P10')('after a bomb the next validation has its full fuel', () => {
  const schema = new SchemaCompiler().compile({
    $defs: doubling('anyOf', 40, { type: 'string' }),
    anyOf: [{ type: 'array' }, { $ref: '#/$defs/d0' }],
  });
  expect(schema.validate({})[0]?.keyword).toBe('fuel');
  expect(schema.validate([])).toEqual([]);
});
