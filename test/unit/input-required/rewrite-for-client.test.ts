import { expect, test } from 'vitest';
import { allowedCapabilities, rewriteForClient } from '../../../src/input-required/rewrite-for-client.ts';

const PARAMS = { messages: [], maxTokens: 10 };

function sampled(includeContext: string): unknown {
  const question = { method: 'sampling/createMessage' as const, params: { ...PARAMS, includeContext } };
  return rewriteForClient(question, { server: 'crm', elicitationId: undefined }).params;
}

test.each(['allServers', 'thisServer', 'another'])('a server does not get the context of others by `%s`', (context) => {
  expect(sampled(context)).toEqual({ ...PARAMS, _meta: { 'dev.seneschal/server': 'crm' } });
});

test('that no context is wanted is passed on', () => {
  expect(sampled('none')).toEqual({ ...PARAMS, includeContext: 'none', _meta: { 'dev.seneschal/server': 'crm' } });
});

test.each([
  ['a client that knows of ids', 'ours'],
  ['a client that knows of none', undefined],
])('%s never gets the id that the server gave a URL', (_, elicitationId) => {
  const params = { mode: 'url', message: 'Log in.', url: 'https://example.org/', elicitationId: "the server's" };
  const question = { method: 'elicitation/create' as const, params };
  expect(rewriteForClient(question, { server: 'crm', elicitationId }).params.elicitationId).toBe(elicitationId);
});

test('no server is told that it may ask for context', () => {
  const declared = { sampling: { tools: {}, context: {} } };
  expect(allowedCapabilities(declared, () => true)).toEqual({ sampling: { tools: {} } });
});
