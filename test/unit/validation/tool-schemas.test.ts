import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { admitTool } from '../../../src/validation/input.ts';
import { SchemaCompiler } from '../../../src/validation/json-schema/compile.ts';

const input = (more: JsonObject): JsonObject => ({ name: 't', inputSchema: { type: 'object', ...more } });

test('a draft-07 schema, as early MCP servers have it, is admitted and enforced', () => {
  const inputSchema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: { pair: { type: 'array', items: [{ type: 'string' }, { type: 'number' }], additionalItems: false } },
    dependencies: { pair: ['unit'] },
  };
  expect(admitTool({ name: 't', inputSchema })).toEqual({ admitted: true });
  const schema = new SchemaCompiler().compile(inputSchema);
  expect(schema.validate({ pair: ['a', 1], unit: 'm' })).toEqual([]);
  expect(schema.validate({ pair: ['a', 1] }).map(({ keyword }) => keyword)).toEqual(['dependentRequired']);
  expect(schema.validate({ pair: ['a', 1, 2], unit: 'm' }).map(({ pointer }) => pointer)).toEqual(['/pair']);
});

test.each<[string, JsonObject, string]>([
  [
    'a reference into the network',
    { $ref: 'http://169.254.169.254/' },
    'a `$ref` does not point into the schema itself',
  ],
  ['a reference to nothing', { $ref: '#/$defs/none' }, 'a `$ref` points at nothing that is a schema'],
  ['a reference to itself', { $ref: '#' }, 'a `$ref` leads back to itself without end'],
  ['an inner `$id`', { properties: { a: { $id: 'x:y' } } }, 'an inner `$id` is not supported'],
  ['a dynamic reference', { $dynamicRef: '#a' }, 'dynamic references are not supported'],
  [
    'another dialect',
    { $schema: 'http://json-schema.org/draft-04/schema#' },
    'its `$schema` is neither 2020-12 nor draft-07',
  ],
  ['a keyword with a value of the wrong type', { required: 'name' }, '`required` is not a list of strings'],
  ['a type that does not exist', { properties: { a: { type: 'text' } } }, '`type` is not a type or a list of types'],
  ['items of another draft', { properties: { a: { items: [{}] } } }, 'a subschema is neither an object nor a boolean'],
  ['data in place of a keyword', { properties: { a: { maximum: { $data: '1/b' } } } }, '`maximum` is not a number'],
  [
    'a look-ahead',
    { properties: { a: { pattern: '(?=a)' } } },
    'a pattern is too large or cannot be matched in linear time',
  ],
])('%s is not admitted', (_what, more, reason) => {
  expect(admitTool(input(more))).toEqual({ admitted: false, reason: `the inputSchema is not admitted: ${reason}` });
});

test('the root of an input schema must have the type `object`', () => {
  expect(admitTool({ name: 't', inputSchema: { type: 'string' } })).toMatchObject({ admitted: false });
  expect(admitTool({ name: 't' })).toMatchObject({ admitted: false });
});

test('an output schema and a contract are checked like an input schema', () => {
  const bad = { $ref: 'other.json' };
  expect(admitTool({ ...input({}), outputSchema: bad })).toMatchObject({ admitted: false });
  expect(admitTool(input({}), bad)).toMatchObject({ admitted: false });
});

test('a schema that is too large, too deep or too wide is not admitted', () => {
  const properties = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`p${index}`, { type: 'string' }]),
  );
  const deep = Array.from({ length: 70 }).reduce<JsonObject>((inner) => ({ not: inner }), {});
  const anyOf = Array.from({ length: 201 }, () => ({ type: 'string' }));
  expect(admitTool(input({ properties }))).toMatchObject({ admitted: false });
  expect(admitTool(input({ properties: { deep } }))).toMatchObject({ admitted: false });
  expect(admitTool(input({ anyOf }))).toMatchObject({ admitted: false });
  expect(admitTool(input({ description: 'x'.repeat(300_000) }))).toMatchObject({ admitted: false });
});

test('a recursive schema is admitted and follows its data', () => {
  const inputSchema = {
    type: 'object',
    $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' } }, additionalProperties: false } },
    properties: { list: { $ref: '#/$defs/node' } },
  };
  expect(admitTool({ name: 't', inputSchema })).toEqual({ admitted: true });
  const schema = new SchemaCompiler().compile(inputSchema);
  expect(schema.validate({ list: { next: { next: {} } } })).toEqual([]);
  expect(schema.validate({ list: { next: { next: { x: 1 } } } })[0]?.pointer).toBe('/list/next/next');
});
