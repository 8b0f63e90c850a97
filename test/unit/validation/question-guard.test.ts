import { expect, test } from 'vitest';
import type { InputRequestMethod } from '../../../src/domain/mcp/input-request.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { guardInputRequest } from '../../../src/validation/input-requests/guard.ts';
import { questionOf } from '../../fixtures/input-requests.ts';

const control = guardInputRequest();
const EVERYTHING = { elicitation: { form: {}, url: {} }, sampling: { tools: {} }, roots: {} };

function judge(method: InputRequestMethod, params: JsonObject, capabilities: JsonObject = EVERYTHING): string {
  const call = questionOf(method, params, capabilities);
  const facts = control.gather({ call }, { signal: new AbortController().signal });
  if (facts instanceof Promise) throw new Error('nothing has to be waited for');
  const verdict = control.decide({ call }, facts);
  return verdict.effect === 'allow' ? 'allow' : `${verdict.reason}: ${verdict.message}`;
}

function form(properties: JsonObject, message = 'm'): string {
  return judge('elicitation/create', { message, requestedSchema: { type: 'object', properties } });
}

const SECRET =
  'question-blocked: the question is not asked: its form asks for a secret, which is asked for at a URL of the server and never in a form';

test.each([
  ['a name', { password: { type: 'string' } }],
  ['a name of two words', { apiKey: { type: 'string' } }],
  ['a name in letters of another script', { раssword: { type: 'string' } }],
  ['a title', { value: { type: 'string', title: 'Your passphrase' } }],
  ['a description', { value: { type: 'string', description: 'Paste the API key of your account.' } }],
  [
    'a description that denies something else',
    { answer: { type: 'string', description: 'Your password, which is never stored' } },
  ],
  ['a description that denies too little', { answer: { type: 'string', description: 'Not only your password' } }],
  ['a word with a letter that is not seen', { answer: { type: 'string', title: 'Your pass\u00adword' } }],
  ['a name beside what is no choice', { password: { type: 'string', anyOf: [{ minLength: 1 }] } }],
  ['a name beside a choice of which one is open', { password: { type: 'string', oneOf: [{ const: 'a' }, {}] } }],
  ['a format', { value: { type: 'string', format: 'password' } }],
  ['a field that is only written', { value: { type: 'string', writeOnly: true } }],
  ['a number', { pin: { type: 'integer' } }],
  ['the number of a card', { cardNumber: { type: 'string' } }],
])('a form that asks for a secret by %s is blocked', (_how, properties) => {
  expect(form(properties)).toBe(`${SECRET} (field 1)`);
});

test.each([
  ['a plain form', { name: { type: 'string' }, age: { type: 'integer' }, mail: { type: 'string', format: 'email' } }],
  ['a yes-or-no about a password', { resetPassword: { type: 'boolean' } }],
  ['a choice between tokens', { token: { type: 'string', enum: ['keep', 'revoke'] } }],
  ['a choice of several', { colours: { type: 'array', items: { type: 'string', enum: ['red', 'blue'] } } }],
  [
    'a field that warns of secrets',
    { n: { type: 'string', description: 'A name (do not give us a pin or password).' } },
  ],
  [
    'a field that warns of secrets in a list',
    {
      n: { type: 'integer', description: 'A number (do not give us your phone number, pin, or other sensitive info)' },
    },
  ],
  [
    'a field without a password',
    { n: { type: 'string', title: 'Not your password', description: 'Never enter a PIN.' } },
  ],
  ['a choice with titles', { token: { type: 'string', oneOf: [{ const: 'keep', title: 'Keep it' }] } }],
  ['the limit of tokens', { token_limit: { type: 'integer' } }],
])('%s is asked', (_what, properties) => {
  expect(form(properties)).toBe('allow');
});

test.each([
  'Type your account password below',
  'Your API key? It is never stored.',
  'No nonsense: your PIN or password',
  'Do not share the form with anyone, password',
])('a form that takes free text is blocked where its message is: %s', (message) => {
  const blocked =
    'question-blocked: the question is not asked: its message asks for a secret, and its form takes free text';
  expect(form({ answer: { type: 'string' } }, message)).toBe(blocked);
  expect(form({ answer: { type: 'boolean' }, some: { type: 'string', enum: ['a'] } }, message)).toBe('allow');
});

test('a message that denies that it asks for a secret, and the name of the server, block no form', () => {
  expect(form({ answer: { type: 'string' } }, 'Your name (not your password)')).toBe('allow');
  expect(form({ answer: { type: 'string' } }, 'The server "crm" asks: Your name')).toBe('allow');
});

test('what a form says of itself is judged like its message', () => {
  const requestedSchema = { type: 'object', description: 'Your password', properties: { a: { type: 'string' } } };
  expect(judge('elicitation/create', { message: 'm', requestedSchema })).toContain('its message asks for a secret');
});

test.each([
  ['an object within', { a: { type: 'object', properties: {} } }],
  ['a list of free texts', { a: { type: 'array', items: { type: 'string' } } }],
  ['a field without a type', { a: {} }],
  ['a pattern that takes for ever', { a: { type: 'string', pattern: '(?=a)' } }],
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
])('the url %s is %s', (url, expected) => {
  const call = questionOf('elicitation/create', { mode: 'url', message: 'm', url }, EVERYTHING);
  const facts = control.gather({ call }, { signal: new AbortController().signal });
  expect(facts).toMatchObject({ fault: expected === 'allow' ? '' : expected });
});

test('what the client did not declare is not asked', () => {
  const plain = { message: 'm', requestedSchema: { type: 'object', properties: {} } };
  const url = { mode: 'url', message: 'm', url: 'https://example.org/' };
  const sample = { messages: [{ role: 'user', content: { type: 'text', text: 'x' } }], maxTokens: 1 };
  const missing = (capability: string): string =>
    `capability-missing: the client has not declared that it can answer it (${capability})`;
  expect(judge('elicitation/create', plain, {})).toBe(missing('elicitation'));
  expect(judge('elicitation/create', plain, { elicitation: {} })).toBe('allow');
  expect(judge('elicitation/create', plain, { elicitation: { url: {} } })).toBe(missing('elicitation.form'));
  expect(judge('elicitation/create', url, { elicitation: {} })).toBe(missing('elicitation.url'));
  expect(judge('sampling/createMessage', sample, { elicitation: {} })).toBe(missing('sampling'));
  expect(judge('sampling/createMessage', { ...sample, tools: [] }, { sampling: {} })).toBe(missing('sampling.tools'));
  expect(judge('roots/list', {}, { sampling: {} })).toBe(missing('roots'));
});

test('what is no MCP is not asked', () => {
  expect(judge('elicitation/create', { requestedSchema: { type: 'object', properties: {} } })).toContain(
    'not what MCP',
  );
  expect(judge('elicitation/create', { message: 'm', mode: 'voice' })).toContain('its mode is neither');
  expect(judge('elicitation/create', { message: 'm' })).toContain('its form');
  expect(judge('sampling/createMessage', { messages: 'hello', maxTokens: 1 })).toContain('not what MCP');
  expect(judge('sampling/createMessage', { messages: [] })).toContain('not what MCP');
});
