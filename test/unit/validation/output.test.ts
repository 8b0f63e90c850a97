import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { SchemaCompiler } from '../../../src/validation/json-schema/compile.ts';
import { validateOutput } from '../../../src/validation/output.ts';
import { exchangeOf } from '../../fixtures/exchange.ts';

const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
const text = (value: string): JsonObject => ({ content: [{ type: 'text', text: value }] });
const control = validateOutput(new SchemaCompiler());
const signal = new AbortController().signal;

async function decide(parts: Parameters<typeof exchangeOf>[0]) {
  const exchange = exchangeOf(parts);
  return control.decide(exchange, await control.gather(exchange, { signal }));
}

test('structured content that matches the declared schema is allowed', async () => {
  const result = { ...text('1'), structuredContent: { n: 1 } };
  expect(await decide({ outputSchema: schema, result })).toEqual({ effect: 'allow' });
});

test('structured content that does not match is withheld', async () => {
  const result = { ...text('1'), structuredContent: { n: '1' } };
  expect(await decide({ outputSchema: schema, result })).toEqual({
    effect: 'deny',
    reason: 'output-invalid',
    message: 'the result is withheld, it does not match its schema: `/n` has the wrong type (type)',
  });
});

test('a result without structured content is withheld if the tool declares a schema', async () => {
  expect(await decide({ outputSchema: schema, result: text('{"n":1}') })).toMatchObject({ reason: 'output-invalid' });
});

test('an error result of a tool need not match', async () => {
  expect(await decide({ outputSchema: schema, result: { ...text('no'), isError: true } })).toEqual({ effect: 'allow' });
});

test('a result whose `isError` is not `true` must match', async () => {
  const result = { ...text('no'), isError: 'true' };
  expect(await decide({ outputSchema: schema, result })).toMatchObject({ effect: 'deny' });
});

test.each<[string, JsonObject, string]>([
  ['JSON that matches', text('{"n":1}'), 'allow'],
  ['structured content that matches', { ...text('one'), structuredContent: { n: 1 } }, 'allow'],
  ['JSON that does not match', text('{"n":"1"}'), 'deny'],
  [
    'structured content that does not match beside text that does',
    { ...text('{"n":1}'), structuredContent: {} },
    'deny',
  ],
  ['text that is not JSON', text('one'), 'deny'],
  ['JSON with a duplicate key', text('{"n":1,"n":"1"}'), 'deny'],
  [
    'two blocks',
    {
      content: [
        { type: 'text', text: '{"n":1}' },
        { type: 'text', text: '' },
      ],
    },
    'deny',
  ],
  ['no block', { content: [] }, 'deny'],
])('a contract of the registry for %s: %s', async (_what, result, effect) => {
  expect(await decide({ contract: schema, result })).toMatchObject({ effect });
});

test.each<[string, JsonObject]>([
  ['no content', {}],
  ['content that is not a list', { content: 'text' }],
  ['a block without a type', { content: [{ text: 'x' }] }],
  ['a text block without text', { content: [{ type: 'text' }] }],
  ['a block that is not an object', { content: [null] }],
  ['another type of result', { content: [], resultType: 'task' }],
])('%s is withheld', async (_what, result) => {
  expect(await decide({ result })).toMatchObject({ effect: 'deny', reason: 'output-invalid' });
});

test('a block of an unknown type passes', async () => {
  expect(await decide({ result: { content: [{ type: 'x-vendor', y: 1 }] } })).toEqual({ effect: 'allow' });
});

test('a missing result is withheld', async () => {
  expect(await decide({})).toMatchObject({ effect: 'deny', reason: 'output-invalid' });
});
