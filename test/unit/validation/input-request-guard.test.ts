import { expect, test } from 'vitest';
import type { InputRequestMethod } from '../../../src/domain/mcp/input-request.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { guardInputRequest } from '../../../src/validation/input-requests/guard.ts';
import { inputRequestOf } from '../../fixtures/input-requests.ts';

const control = guardInputRequest();
const EVERYTHING = { elicitation: { form: {}, url: {} }, sampling: { tools: {} }, roots: {} };

function decide(method: InputRequestMethod, params: JsonObject, capabilities: JsonObject = EVERYTHING): string {
  const call = inputRequestOf(method, params, capabilities);
  const facts = control.gather({ call }, { signal: new AbortController().signal });
  if (facts instanceof Promise) throw new Error('the guard must not wait');
  const verdict = control.decide({ call }, facts);
  return verdict.effect === 'allow' ? 'allow' : `${verdict.reason}: ${verdict.message}`;
}

function form(properties: JsonObject, message = 'm'): string {
  return decide('elicitation/create', { message, requestedSchema: { type: 'object', properties } });
}

const SECRET =
  'question-blocked: the input request is blocked: its form asks for a secret; MCP allows that only at a URL of the server, never in a form';

test.each([
  ['a name', { password: { type: 'string' } }],
  ['a name of two words', { apiKey: { type: 'string' } }],
  ['a name with a letter of another script', { раssword: { type: 'string' } }],
  ['a title', { value: { type: 'string', title: 'Your passphrase' } }],
  ['a description', { value: { type: 'string', description: 'Paste the API key of your account.' } }],
  [
    'a description that negates something else',
    { answer: { type: 'string', description: 'Your password, which is never stored' } },
  ],
  ['a description with `not only`', { answer: { type: 'string', description: 'Not only your password' } }],
  ['a word with an invisible character', { answer: { type: 'string', title: 'Your pass\u00adword' } }],
  ['a name with `anyOf` that is not a choice', { password: { type: 'string', anyOf: [{ minLength: 1 }] } }],
  ['a name with a choice that has an open alternative', { password: { type: 'string', oneOf: [{ const: 'a' }, {}] } }],
  ['a format', { value: { type: 'string', format: 'password' } }],
  ['`writeOnly`', { value: { type: 'string', writeOnly: true } }],
  ['a number', { pin: { type: 'integer' } }],
  ['a card number', { cardNumber: { type: 'string' } }],
])('a form that asks for a secret by %s is blocked', (_how, properties) => {
  expect(form(properties)).toBe(`${SECRET} (field 1)`);
});

test.each([
  ['a plain form', { name: { type: 'string' }, age: { type: 'integer' }, mail: { type: 'string', format: 'email' } }],
  ['a boolean about a password', { resetPassword: { type: 'boolean' } }],
  ['a choice between tokens', { token: { type: 'string', enum: ['keep', 'revoke'] } }],
  ['a choice of several', { colours: { type: 'array', items: { type: 'string', enum: ['red', 'blue'] } } }],
  [
    'a field that warns against entering secrets',
    { n: { type: 'string', description: 'A name (do not give us a pin or password).' } },
  ],
  [
    'a field that warns against a list of secrets',
    {
      n: { type: 'integer', description: 'A number (do not give us your phone number, pin, or other sensitive info)' },
    },
  ],
  [
    'a field that negates a password',
    { n: { type: 'string', title: 'Not your password', description: 'Never enter a PIN.' } },
  ],
  ['a choice with titles', { token: { type: 'string', oneOf: [{ const: 'keep', title: 'Keep it' }] } }],
  ['a token limit', { token_limit: { type: 'integer' } }],
])('%s passes', (_what, properties) => {
  expect(form(properties)).toBe('allow');
});

test.each([
  'Type your account password below',
  'Your API key? It is never stored.',
  'No nonsense: your PIN or password',
  'Do not share the form with anyone, password',
])('a form with free text is blocked if its message is: %s', (message) => {
  const blocked =
    'question-blocked: the input request is blocked: its message asks for a secret, and its form takes free text';
  expect(form({ answer: { type: 'string' } }, message)).toBe(blocked);
  expect(form({ answer: { type: 'boolean' }, some: { type: 'string', enum: ['a'] } }, message)).toBe('allow');
});

test('a message that negates the secret, or only names the server, blocks no form', () => {
  expect(form({ answer: { type: 'string' } }, 'Your name (not your password)')).toBe('allow');
  expect(form({ answer: { type: 'string' } }, 'The server "crm" asks: Your name')).toBe('allow');
});

test('the description of a form is checked like its message', () => {
  const requestedSchema = { type: 'object', description: 'Your password', properties: { a: { type: 'string' } } };
  expect(decide('elicitation/create', { message: 'm', requestedSchema })).toContain('its message asks for a secret');
});

test.each([
  ['a nested object', { a: { type: 'object', properties: {} } }],
  ['a list of free texts', { a: { type: 'array', items: { type: 'string' } } }],
  ['a field without a type', { a: {} }],
  ['a pattern that cannot match in linear time', { a: { type: 'string', pattern: '(?=a)' } }],
])('a form with %s is blocked', (_what, properties) => {
  expect(form(properties)).toContain('its form has fields that are not plain texts');
});

test.each([
  ['https://example.org/connect?state=1', 'allow'],
  ['http://localhost:3000/x', 'allow'],
  ['http://127.0.0.1/x', 'allow'],
  ['http://example.org/', 'url-scheme'],
  ['javascript:alert(1)', 'url-scheme'],
  ['file:///etc/passwd', 'url-scheme'],
  ['https://bank.example@evil.example/', 'url-userinfo'],
  ['https://a:b@evil.example/', 'url-userinfo'],
  ['https://@evil.example/', 'url-userinfo'],
  ['https://bank.example\\@evil.example/', 'url'],
  ['https://bank.example /x', 'url'],
  ['https://bank.example/\n', 'url'],
  ['not a url', 'url'],
])('the URL %s is %s', (url, expected) => {
  const call = inputRequestOf('elicitation/create', { mode: 'url', message: 'm', url }, EVERYTHING);
  const facts = control.gather({ call }, { signal: new AbortController().signal });
  expect(facts).toMatchObject({ fault: expected === 'allow' ? '' : expected });
});

test('a request for which the client has no capability is refused', () => {
  const plain = { message: 'm', requestedSchema: { type: 'object', properties: {} } };
  const url = { mode: 'url', message: 'm', url: 'https://example.org/' };
  const sample = { messages: [{ role: 'user', content: { type: 'text', text: 'x' } }], maxTokens: 1 };
  const missing = (capability: string): string =>
    `capability-missing: the client has not declared the capability \`${capability}\``;
  expect(decide('elicitation/create', plain, {})).toBe(missing('elicitation'));
  expect(decide('elicitation/create', plain, { elicitation: {} })).toBe('allow');
  expect(decide('elicitation/create', plain, { elicitation: { url: {} } })).toBe(missing('elicitation.form'));
  expect(decide('elicitation/create', url, { elicitation: {} })).toBe(missing('elicitation.url'));
  expect(decide('sampling/createMessage', sample, { elicitation: {} })).toBe(missing('sampling'));
  expect(decide('sampling/createMessage', { ...sample, tools: [] }, { sampling: {} })).toBe(missing('sampling.tools'));
  expect(decide('roots/list', {}, { sampling: {} })).toBe(missing('roots'));
});

test('a request that is not valid MCP is blocked', () => {
  expect(decide('elicitation/create', { requestedSchema: { type: 'object', properties: {} } })).toContain(
    'not valid MCP',
  );
  expect(decide('elicitation/create', { message: 'm', mode: 'voice' })).toContain('its mode is neither');
  expect(decide('elicitation/create', { message: 'm' })).toContain('its form');
  expect(decide('sampling/createMessage', { messages: 'hello', maxTokens: 1 })).toContain('not valid MCP');
  expect(decide('sampling/createMessage', { messages: [] })).toContain('not valid MCP');
});
