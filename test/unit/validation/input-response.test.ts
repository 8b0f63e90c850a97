import { expect, test } from 'vitest';
import type { InputRequestMethod } from '../../../src/domain/mcp/input-request.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { validateInputResponse } from '../../../src/validation/input-requests/response.ts';
import { SchemaCompiler } from '../../../src/validation/json-schema/compile.ts';
import { inputRequestOf } from '../../fixtures/input-requests.ts';

const control = validateInputResponse(new SchemaCompiler());
const FORM = {
  message: 'm',
  requestedSchema: { type: 'object', properties: { age: { type: 'integer', minimum: 0 } }, required: ['age'] },
};

async function decide(method: InputRequestMethod, params: JsonObject, result: JsonObject): Promise<string> {
  const exchange = { call: inputRequestOf(method, params, {}), result };
  const verdict = control.decide(exchange, await control.gather(exchange, { signal: new AbortController().signal }));
  return verdict.effect === 'allow' ? 'allow' : `${verdict.reason}: ${verdict.message}`;
}

test('a response that matches its form is passed on', async () => {
  expect(await decide('elicitation/create', FORM, { action: 'accept', content: { age: 7 } })).toBe('allow');
  expect(await decide('elicitation/create', FORM, { action: 'decline' })).toBe('allow');
  expect(await decide('elicitation/create', FORM, { action: 'cancel', content: {} })).toBe('allow');
});

test('a response that does not match its form is not passed on', async () => {
  expect(await decide('elicitation/create', FORM, { action: 'accept', content: { age: -1 } })).toBe(
    'answer-invalid: the input response is not passed on, it does not match the form: `/age` is too small (minimum)',
  );
  expect(await decide('elicitation/create', FORM, { action: 'accept' })).toContain('`content` is missing');
  expect(await decide('elicitation/create', FORM, { action: 'decline', content: { age: 1 } })).toContain('`content`');
  expect(await decide('elicitation/create', FORM, { action: 'yes' })).toContain('`action` is neither');
});

test('the acceptance of a URL carries no content', async () => {
  const url = { mode: 'url', message: 'm', url: 'https://example.org/' };
  expect(await decide('elicitation/create', url, { action: 'accept' })).toBe('allow');
  expect(await decide('elicitation/create', url, { action: 'accept', content: { token: 'x' } })).toContain('`content`');
});

test('a sampling message has a role, a model and content', async () => {
  const message = { role: 'assistant', model: 'm', content: { type: 'text', text: 'x' } };
  expect(await decide('sampling/createMessage', {}, message)).toBe('allow');
  expect(await decide('sampling/createMessage', {}, { ...message, content: [message.content] })).toBe('allow');
  expect(await decide('sampling/createMessage', {}, { role: 'assistant', content: 'x', model: 'm' })).toContain(
    'model',
  );
});

test('roots are `file://` URIs', async () => {
  expect(await decide('roots/list', {}, { roots: [{ uri: 'file:///home/a', name: 'a' }] })).toBe('allow');
  expect(await decide('roots/list', {}, { roots: [] })).toBe('allow');
  expect(await decide('roots/list', {}, { roots: [{ uri: 'https://example.org' }] })).toContain('file://');
  expect(await decide('roots/list', {}, {})).toContain('file://');
});
