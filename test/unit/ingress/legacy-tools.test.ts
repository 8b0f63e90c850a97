import { expect, test } from 'vitest';
import { toLegacyToolList, toLegacyToolResult } from '../../../src/ingress/mcp/methods/legacy-tools.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';

function legacyOutputSchema(outputSchema: JsonObject): unknown {
  return toLegacyToolList({ definitions: [{ name: 't', inputSchema: { type: 'object' }, outputSchema }] })
    .definitions[0]?.outputSchema;
}

test('a list without differences is returned as the same object, so that its pages are shared', () => {
  const list = { definitions: [{ name: 't', inputSchema: { type: 'object' }, outputSchema: { type: 'object' } }] };
  expect(toLegacyToolList(list)).toBe(list);
});

test('a list is converted once, and tools without differences stay the same objects', () => {
  const plain = { name: 'a', inputSchema: { type: 'object' } };
  const list = {
    definitions: [plain, { name: 'b', inputSchema: { type: 'object' }, outputSchema: { type: 'array' } }],
  };
  const converted = toLegacyToolList(list);
  expect(converted.definitions[0]).toBe(plain);
  expect(toLegacyToolList(list)).toBe(converted);
});

test('a schema with no type or several types is wrapped, because its value may be no object', () => {
  expect(legacyOutputSchema({ anyOf: [{ type: 'object' }, { type: 'null' }] })).toEqual({
    type: 'object',
    properties: { result: { anyOf: [{ type: 'object' }, { type: 'null' }] } },
    required: ['result'],
  });
  expect(legacyOutputSchema({ type: ['object', 'null'] })).toEqual({
    type: 'object',
    properties: { result: { type: ['object', 'null'] } },
    required: ['result'],
  });
});

test('references of a wrapped schema keep their targets, and constants that look like references stay', () => {
  const $schema = 'https://json-schema.org/draft/2020-12/schema';
  expect(
    legacyOutputSchema({
      $schema,
      type: 'array',
      items: { anyOf: [{ $ref: '#' }, { $ref: '#/$defs/n' }, { const: { $ref: '#/x' } }] },
      $defs: { n: { type: 'object', properties: { $ref: { $ref: '#/$defs/n' } }, additionalProperties: false } },
    }),
  ).toEqual({
    $schema,
    type: 'object',
    properties: {
      result: {
        type: 'array',
        items: {
          anyOf: [{ $ref: '#/properties/result' }, { $ref: '#/properties/result/$defs/n' }, { const: { $ref: '#/x' } }],
        },
        $defs: {
          n: {
            type: 'object',
            properties: { $ref: { $ref: '#/properties/result/$defs/n' } },
            additionalProperties: false,
          },
        },
      },
    },
    required: ['result'],
  });
});

test('the references of a schema with an `$id` stay, because it is a document of its own', () => {
  const schema = { $id: 'https://example.org/s', type: 'array', items: { $ref: '#/$defs/n' }, $defs: { n: {} } };
  expect(legacyOutputSchema(schema)).toEqual({ type: 'object', properties: { result: schema }, required: ['result'] });
});

test('boolean properties of an output schema become objects', () => {
  expect(legacyOutputSchema({ type: 'object', properties: { a: true, b: false, c: {} } })).toEqual({
    type: 'object',
    properties: { a: {}, b: { not: {} }, c: {} },
  });
});

test('a result is wrapped if its schema is, or if it has no schema and is no object', () => {
  const result = (structuredContent: JsonObject | number[] | null) => ({ content: [], structuredContent });
  const open = { anyOf: [{ type: 'object' }, { type: 'null' }] };
  expect(toLegacyToolResult(result({ a: 1 }), open)).toEqual(result({ result: { a: 1 } }));
  expect(toLegacyToolResult(result(null), open)).toEqual(result({ result: null }));
  expect(toLegacyToolResult(result([1]), undefined)).toEqual(result({ result: [1] }));
});

test('a result that needs no conversion is the same object', () => {
  const result = { content: [], structuredContent: { a: 1 } };
  expect(toLegacyToolResult(result, { type: 'object' })).toBe(result);
  expect(toLegacyToolResult(result, undefined)).toBe(result);
  const plain = { content: [] };
  expect(toLegacyToolResult(plain, { type: 'array' })).toBe(plain);
});
