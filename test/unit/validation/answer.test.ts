import { expect, test } from 'vitest';
import type { InputRequestMethod } from '../../../src/domain/mcp/input-request.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { validateInputResponse } from '../../../src/validation/input-requests/response.ts';
import { SchemaCompiler } from '../../../src/validation/json-schema/compile.ts';
import { questionOf } from '../../fixtures/input-requests.ts';

const control = validateInputResponse(new SchemaCompiler());
const FORM = {
  message: 'm',
  requestedSchema: { type: 'object', properties: { age: { type: 'integer', minimum: 0 } }, required: ['age'] },
};

async function judge(method: InputRequestMethod, params: JsonObject, result: JsonObject): Promise<string> {
  const exchange = { call: questionOf(method, params, {}), result };
  const verdict = control.decide(exchange, await control.gather(exchange, { signal: new AbortController().signal }));
  return verdict.effect === 'allow' ? 'allow' : `${verdict.reason}: ${verdict.message}`;
}

test('a form that was filled in as it asked is passed on', async () => {
  expect(await judge('elicitation/create', FORM, { action: 'accept', content: { age: 7 } })).toBe('allow');
  expect(await judge('elicitation/create', FORM, { action: 'decline' })).toBe('allow');
  expect(await judge('elicitation/create', FORM, { action: 'cancel', content: {} })).toBe('allow');
});

test('a form that was filled in otherwise is not passed on', async () => {
  expect(await judge('elicitation/create', FORM, { action: 'accept', content: { age: -1 } })).toBe(
    'answer-invalid: the answer is not passed on, it does not match the form: `/age` is too small (minimum)',
  );
  expect(await judge('elicitation/create', FORM, { action: 'accept' })).toContain('`content` is missing');
  expect(await judge('elicitation/create', FORM, { action: 'decline', content: { age: 1 } })).toContain('`content`');
  expect(await judge('elicitation/create', FORM, { action: 'yes' })).toContain('`action` is neither');
});

test('with the consent to open a url nothing is sent along', async () => {
  const url = { mode: 'url', message: 'm', url: 'https://example.org/' };
  expect(await judge('elicitation/create', url, { action: 'accept' })).toBe('allow');
  expect(await judge('elicitation/create', url, { action: 'accept', content: { token: 'x' } })).toContain('`content`');
});

test('the message of a model has a role, a model and content', async () => {
  const message = { role: 'assistant', model: 'm', content: { type: 'text', text: 'x' } };
  expect(await judge('sampling/createMessage', {}, message)).toBe('allow');
  expect(await judge('sampling/createMessage', {}, { ...message, content: [message.content] })).toBe('allow');
  expect(await judge('sampling/createMessage', {}, { role: 'assistant', content: 'x', model: 'm' })).toContain('model');
});

test('roots are files', async () => {
  expect(await judge('roots/list', {}, { roots: [{ uri: 'file:///home/a', name: 'a' }] })).toBe('allow');
  expect(await judge('roots/list', {}, { roots: [] })).toBe('allow');
  expect(await judge('roots/list', {}, { roots: [{ uri: 'https://example.org' }] })).toContain('file://');
  expect(await judge('roots/list', {}, {})).toContain('file://');
});
