import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { SchemaCompiler } from '../../../src/validation/json-schema/compile.ts';
import { validateOutput } from '../../../src/validation/output.ts';
import { exchangeOf } from '../../fixtures/exchange.ts';

const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
const text = (value: string): JsonObject => ({ content: [{ type: 'text', text: value }] });
const control = validateOutput(new SchemaCompiler());
const signal = new AbortController().signal;

async function judge(parts: Parameters<typeof exchangeOf>[0]) {
  const exchange = exchangeOf(parts);
  return control.decide(exchange, await control.gather(exchange, { signal }));
}

test('structured content that matches the declared schema is allowed', async () => {
  const result = { ...text('1'), structuredContent: { n: 1 } };
  expect(await judge({ outputSchema: schema, result })).toEqual({ effect: 'allow' });
});

test('structured content that does not match is withheld', async () => {
  const result = { ...text('1'), structuredContent: { n: '1' } };
  expect(await judge({ outputSchema: schema, result })).toEqual({
    effect: 'deny',
    reason: 'output-invalid',
    message: 'the result is withheld, it does not match its schema: `/n` has the wrong type (type)',
  });
});

test('a tool that declares a schema and answers without structured content is withheld', async () => {
  expect(await judge({ outputSchema: schema, result: text('{"n":1}') })).toMatchObject({ reason: 'output-invalid' });
});

test('an error of the tool need not match', async () => {
  expect(await judge({ outputSchema: schema, result: { ...text('no'), isError: true } })).toEqual({ effect: 'allow' });
});

test('what only looks like an error must match', async () => {
  const result = { ...text('no'), isError: 'true' };
  expect(await judge({ outputSchema: schema, result })).toMatchObject({ effect: 'deny' });
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
  ['JSON that two readers understand differently', text('{"n":1,"n":"1"}'), 'deny'],
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
])('a contract of the registry over %s: %s', async (_what, result, effect) => {
  expect(await judge({ contract: schema, result })).toMatchObject({ effect });
});

test.each<[string, JsonObject]>([
  ['no content', {}],
  ['content that is no list', { content: 'text' }],
  ['a block without a type', { content: [{ text: 'x' }] }],
  ['a text block without text', { content: [{ type: 'text' }] }],
  ['a block that is no object', { content: [null] }],
  ['another kind of result', { content: [], resultType: 'task' }],
])('%s is withheld', async (_what, result) => {
  expect(await judge({ result })).toMatchObject({ effect: 'deny', reason: 'output-invalid' });
});

test('a block of a type that nobody knows passes', async () => {
  expect(await judge({ result: { content: [{ type: 'x-vendor', y: 1 }] } })).toEqual({ effect: 'allow' });
});

test('a call without a result is withheld', async () => {
  expect(await judge({})).toMatchObject({ effect: 'deny', reason: 'output-invalid' });
});
