import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { SchemaCompiler } from '../../../src/validation/json-schema/compile.ts';

const compile = (schema: JsonObject) => new SchemaCompiler().compile(schema);

test('each pattern of a schema is matched on its own', () => {
  const schema = compile({ properties: { a: { pattern: '^a+$' }, b: { pattern: '^b+$' } } });
  expect(schema.validate({ a: 'aa', b: 'bb' })).toEqual([]);
  expect(schema.validate({ a: 'aa', b: 'aa' }).map(({ pointer }) => pointer)).toEqual(['/b']);
});

test('values are not coerced and defaults are not filled in', () => {
  const schema = compile({ properties: { n: { type: 'number' }, d: { default: 1 } } });
  const value = { n: '1' };
  expect(schema.validate(value)).toHaveLength(1);
  expect(value).toEqual({ n: '1' });
});

test('`format` and unknown keywords are annotations', () => {
  const schema = compile({ properties: { a: { type: 'string', format: 'email', nullable: true, 'x-y': 1 } } });
  expect(schema.validate({ a: 'not an address' })).toEqual([]);
  expect(schema.validate({ a: null })).toHaveLength(1);
});

test('a schema of the same content is compiled once', () => {
  const compiler = new SchemaCompiler();
  expect(compiler.compile({ type: 'object', title: 'x' })).toBe(compiler.compile({ title: 'x', type: 'object' }));
});

test('two schemas with one `$id` do not mix', () => {
  const compiler = new SchemaCompiler();
  const first = compiler.compile({ $id: 'urn:x', type: 'object' });
  const second = compiler.compile({ $id: 'urn:x', type: 'array' });
  expect([first.validate({}), second.validate([])]).toEqual([[], []]);
});

test('a schema that is not admitted is never compiled', () => {
  expect(() => compile({ $ref: 'http://example.org/' })).toThrow('a schema that is not admitted cannot be compiled');
});

test('an error contains neither a value nor a property name of the data', () => {
  const schema = compile({
    properties: { known: { additionalProperties: { type: 'string', enum: ['a'] } }, list: { items: { const: 1 } } },
  });
  expect(schema.validate({ known: { 'ana@example.org': 'secret' } })).toEqual([
    { pointer: '/known/*', keyword: 'enum', message: 'is not one of the allowed values' },
  ]);
  expect(schema.validate({ list: [1, 2] })).toEqual([
    { pointer: '/list/1', keyword: 'const', message: 'is not the one allowed value' },
  ]);
});

test('the pointer of a missing property includes its name', () => {
  const schema = compile({ properties: { a: { required: ['b/c'] } } });
  expect(schema.validate({ a: {} })).toEqual([{ pointer: '/a/b~1c', keyword: 'required', message: 'is missing' }]);
});

test('an inherited property does not satisfy `required`', () => {
  const schema = compile({ required: ['toString'] });
  expect(schema.validate({})).toHaveLength(1);
  expect(schema.validate({ toString: 1 })).toEqual([]);
});

test('items are compared by value, whatever the order of their members', () => {
  const schema = compile({ properties: { a: { uniqueItems: true } } });
  expect(schema.validate({ a: [1, '1', true, 'true', null, 'null', [1], '[1]', {}] })).toEqual([]);
  expect(
    schema.validate({
      a: [
        { x: 1, y: 2 },
        { y: 2, x: 1 },
      ],
    }),
  ).toHaveLength(1);
});
