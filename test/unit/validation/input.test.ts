import { expect, test } from 'vitest';
import { validateInput } from '../../../src/validation/input.ts';
import { SchemaCompiler } from '../../../src/validation/json-schema/compile.ts';
import { exchangeOf } from '../../fixtures/exchange.ts';

const inputSchema = {
  type: 'object',
  properties: { path: { type: 'string' }, depth: { type: 'integer', maximum: 3 } },
  required: ['path'],
  additionalProperties: false,
};
const control = validateInput(new SchemaCompiler());
const signal = new AbortController().signal;

async function decide(args: Parameters<typeof exchangeOf>[0]) {
  const exchange = exchangeOf(args);
  const facts = await control.gather(exchange, { signal });
  return { facts, verdict: control.decide(exchange, facts) };
}

test('arguments that match are allowed', async () => {
  const { verdict } = await decide({ inputSchema, args: { path: 'a', depth: 2 } });
  expect(verdict).toEqual({ effect: 'allow' });
});

test('arguments that do not match are refused with the pointer and the keyword', async () => {
  const { verdict } = await decide({ inputSchema, args: { depth: 2 } });
  expect(verdict).toEqual({
    effect: 'deny',
    reason: 'arguments-invalid',
    message: "the arguments do not match the tool's schema: `/path` is missing (required)",
  });
});

test('the facts are the digest of the schema and the errors', async () => {
  const { facts } = await decide({ inputSchema, args: { path: 'a', depth: 9 } });
  expect(facts).toEqual({
    schema: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    errors: [{ pointer: '/depth', keyword: 'maximum' }],
  });
});

test('the verdict follows from the recorded facts alone', async () => {
  const { facts, verdict } = await decide({ inputSchema, args: { path: 1 } });
  const recorded = JSON.parse(JSON.stringify(facts));
  expect(control.decide(exchangeOf({ inputSchema, args: { path: 'fine' } }), recorded)).toEqual(verdict);
});
