import { expect, test } from 'vitest';
import { paramHeaderValue, parseParamHeaders, withoutParamHeaders } from '../../../src/domain/mcp/param-headers.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';

const marked = (name: unknown, more: object = { type: 'string' }): JsonObject =>
  ({ ...more, 'x-mcp-header': name }) as JsonObject;
const object = (properties: object): JsonObject => ({ type: 'object', properties }) as JsonObject;

test('marks on properties at any depth are read, in lower case', () => {
  const schema = object({ region: marked('Region'), at: object({ day: marked('Day', { type: 'integer' }) }) });
  expect(parseParamHeaders(schema)).toEqual({
    headers: [
      { header: 'mcp-param-region', path: ['region'], type: 'string' },
      { header: 'mcp-param-day', path: ['at', 'day'], type: 'integer' },
    ],
  });
});

const NO_TOKEN = 'the name of a header is not a token (RFC 9110)';
const NO_SCALAR = 'a header is declared on a property that is not a string, integer or boolean';
const UNREACHABLE = 'a header is declared outside of `properties`';

test.each([
  ['a line break', object({ a: marked('A\r\nB') }), NO_TOKEN],
  ['a space', object({ a: marked('A B') }), NO_TOKEN],
  ['nothing', object({ a: marked('') }), NO_TOKEN],
  ['a colon', object({ a: marked('A:') }), NO_TOKEN],
  ['a letter beyond ASCII', object({ a: marked('É') }), NO_TOKEN],
  ['a number for a name', object({ a: marked(7) }), NO_TOKEN],
  [
    'the same name in another case',
    object({ a: marked('Key'), b: marked('kEY') }),
    'two properties declare the same header',
  ],
  ['a property that is an object', object({ a: marked('A', { type: 'object' }) }), NO_SCALAR],
  ['a property that is a list', object({ a: marked('A', { type: 'array' }) }), NO_SCALAR],
  ['a property that is any number', object({ a: marked('A', { type: 'number' }) }), NO_SCALAR],
  ['a property without a type', object({ a: marked('A', {}) }), NO_SCALAR],
  ['a property of two types', object({ a: marked('A', { type: ['string', 'null'] }) }), NO_SCALAR],
  ['the arguments as a whole', marked('A', { type: 'object' }), UNREACHABLE],
  ['an item of a list', object({ a: { type: 'array', items: marked('A') } }), UNREACHABLE],
  ['a branch', { ...object({}), anyOf: [object({ a: marked('A') })] }, UNREACHABLE],
  ['a definition', { ...object({}), $defs: { x: marked('A') } }, UNREACHABLE],
])('a mark with %s is not valid', (_what, schema, invalid) => {
  expect(parseParamHeaders(schema)).toEqual({ invalid });
});

test('a value that looks like a mark is a value', () => {
  expect(parseParamHeaders(object({ a: { default: { 'x-mcp-header': 'A\r\nB' } } }))).toEqual({ headers: [] });
});

test.each([
  [{ a: 'x' }, 'x'],
  [{ a: '' }, ''],
  [{ a: true }, 'true'],
  [{ a: -3 }, '-3'],
  [{ a: 2 ** 53 }, undefined],
  [{ a: null }, undefined],
  [{ a: ['x'] }, undefined],
  [{}, undefined],
])('of %j there is mirrored %j', (args, text) => {
  expect(paramHeaderValue(args, ['a'])).toBe(text);
});

test('what an object inherits is no argument', () => {
  expect(paramHeaderValue({}, ['constructor', 'name'])).toBeUndefined();
});

test('marks of secret arguments are taken out, and nothing else is', () => {
  const schema = object({ region: marked('Region'), who: object({ pin: marked('Pin') }), badge: marked('Badge') });
  expect(withoutParamHeaders(schema, ['who', 'badge'])).toEqual(
    object({ region: marked('Region'), who: object({ pin: { type: 'string' } }), badge: { type: 'string' } }),
  );
  expect(withoutParamHeaders(schema, ['wh', 'who.pi', 'nothing'])).toBeUndefined();
});

test.each([
  ['api_key', 'A'],
  ['apiKey', 'A'],
  ['token', 'A'],
  ['password', 'A'],
  ['t\u043eken', 'A'],
  ['a', 'X-Api-Key'],
])('an argument `%s` that is wanted in the header `%s` is a secret, whatever the operator says', (name, header) => {
  const properties = { region: marked('Region'), [name]: marked(header) };
  expect(withoutParamHeaders(object(properties), [])).toEqual(
    object({ region: marked('Region'), [name]: { type: 'string' } }),
  );
});

test('what is within a secret argument is secret', () => {
  const schema = object({ credentials: object({ a: marked('A') }) });
  expect(withoutParamHeaders(schema, [])).toEqual(object({ credentials: object({ a: { type: 'string' } }) }));
});
