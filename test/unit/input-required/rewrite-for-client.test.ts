import { expect, test } from 'vitest';
import { allowedCapabilities, rewriteForClient } from '../../../src/input-required/rewrite-for-client.ts';

const PARAMS = { messages: [], maxTokens: 10 };

function rewrittenSampling(includeContext: string): unknown {
  const inputRequest = { method: 'sampling/createMessage' as const, params: { ...PARAMS, includeContext } };
  return rewriteForClient(inputRequest, { server: 'crm', elicitationId: undefined }).params;
}

test.each(['allServers', 'thisServer', 'another'])(
  'a server does not get the context of other servers by `%s`',
  (context) => {
    expect(rewrittenSampling(context)).toEqual({ ...PARAMS, _meta: { 'dev.seneschal/server': 'crm' } });
  },
);

test('`includeContext: none` is passed on', () => {
  expect(rewrittenSampling('none')).toEqual({
    ...PARAMS,
    includeContext: 'none',
    _meta: { 'dev.seneschal/server': 'crm' },
  });
});

test.each([
  ['a client whose era has ids', 'ours'],
  ['a client whose era has none', undefined],
])('%s never gets the id that the server gave a URL', (_, elicitationId) => {
  const params = { mode: 'url', message: 'Log in.', url: 'https://example.org/', elicitationId: "the server's" };
  const inputRequest = { method: 'elicitation/create' as const, params };
  expect(rewriteForClient(inputRequest, { server: 'crm', elicitationId }).params.elicitationId).toBe(elicitationId);
});

test('`sampling.context` is declared to no server', () => {
  const declared = { sampling: { tools: {}, context: {} } };
  expect(allowedCapabilities(declared, () => true)).toEqual({ sampling: { tools: {} } });
});
