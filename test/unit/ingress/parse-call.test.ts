import { expect, test } from 'vitest';
import { OPERATIONS } from '../../../src/domain/call.ts';
import { parseCall } from '../../../src/ingress/mcp/methods/parse-call.ts';

test.each([
  ['prompts/get', { name: 1 }, '`name` is not a string'],
  ['prompts/get', { name: 'p', arguments: [] }, '`arguments` is not an object'],
  ['resources/read', {}, '`uri` is not a string'],
  ['completion/complete', { argument: {} }, '`ref` is not an object'],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' } }, '`argument` is missing'],
  [
    ...(['completion/complete', { ref: { type: 'ref/tool', name: 'p' }, argument: {} }] as const),
    '`ref` is neither a prompt with a `name` nor a resource with a `uri`',
  ],
] as const)('%s with %o is invalid: %s', (method, params, problem) => {
  expect(parseCall({ id: 1, method, params }, 'modern')).toEqual({ problem });
});

test('a completion keeps its context and no other parameter', () => {
  const argument = { name: 'a', value: 'b' };
  const context = { arguments: { c: 'd' } };
  const params = { ref: { type: 'ref/resource', uri: 'x:{a}' }, argument, context, other: 1 };
  const args = { argument, context };
  expect(parseCall({ id: 1, method: 'completion/complete', params }, 'modern')).toEqual({
    operation: OPERATIONS.completeTemplate,
    name: 'x:{a}',
    args,
  });
});

test.each(['tools/list', 'ping', 'constructor', 'tools/Call'])('`%s` is not a call', (method) => {
  expect(parseCall({ id: 1, method, params: {} }, 'modern')).toBeUndefined();
});

test('`resources/subscribe` is a call in the legacy era only', () => {
  const request = { id: 1, method: 'resources/subscribe', params: { uri: 'x:a' } };
  expect(parseCall(request, 'legacy')).toEqual({
    operation: OPERATIONS.subscribeResource,
    name: 'x:a',
    args: {},
  });
  expect(parseCall(request, 'modern')).toBeUndefined();
});

test('a request state resumes a call in the modern era only', () => {
  const params = { name: 't', requestState: 's', inputResponses: { a: {} } };
  const call = { operation: OPERATIONS.callTool, name: 't', args: {} };
  expect(parseCall({ id: 1, method: 'tools/call', params }, 'legacy')).toEqual(call);
  expect(parseCall({ id: 1, method: 'tools/call', params }, 'modern')).toEqual({
    ...call,
    resumption: { state: 's', responses: { a: {} } },
  });
});

test.each(['legacy', 'modern'] as const)('input responses that are not an object are invalid in the %s era', (era) => {
  const params = { name: 't', requestState: 's', inputResponses: [] };
  expect(parseCall({ id: 1, method: 'tools/call', params }, era)).toEqual({
    problem: '`inputResponses` is not an object',
  });
});
