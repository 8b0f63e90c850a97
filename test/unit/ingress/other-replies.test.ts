import { expect, test } from 'vitest';
import type { CallReply } from '../../../src/broker/broker.ts';
import { OPERATIONS, type Operation } from '../../../src/domain/call.ts';
import { replyToNonToolCall } from '../../../src/ingress/mcp/methods/non-tool-replies.ts';
import { parseCall } from '../../../src/ingress/mcp/methods/parse-call.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { completed, refused } from '../../fixtures/http-harness.ts';

const serverInfo = { name: 'seneschal', version: '0' };

function bodyOf(reply: CallReply, verb: Operation, era: 'legacy' | 'modern'): JsonObject {
  return JSON.parse(
    replyToNonToolCall(reply, { id: 1, operation: verb, name: 'n' }, { era, serverInfo }).body,
  ) as JsonObject;
}

const failed = (code: number): CallReply => ({
  callId: 'call-1',
  outcome: {
    ...{ kind: 'failed', reason: 'upstream-error', message: 'the server answered with an error', inDoubt: false },
    error: { code, message: 'no', data: { uri: 'x' } },
  },
});

test('what was read is private to whoever read it, with the lifetime that its server gave', () => {
  const read = completed({ contents: [], ttlMs: 60_000, cacheScope: 'public' });
  expect(bodyOf(read, OPERATIONS.readResource, 'modern').result).toMatchObject({
    ttlMs: 60_000,
    cacheScope: 'private',
  });
  expect(bodyOf(read, OPERATIONS.readResource, 'legacy').result).toEqual({ contents: [] });
  const without = completed({ contents: [], ttlMs: -1 });
  expect(bodyOf(without, OPERATIONS.readResource, 'modern').result).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
});

test.each([
  [OPERATIONS.getPrompt, 'legacy', { code: -32_602, message: 'Unknown prompt: n' }],
  [OPERATIONS.completePrompt, 'modern', { code: -32_602, message: 'Unknown prompt: n' }],
  [OPERATIONS.readResource, 'legacy', { code: -32_002, message: 'Resource not found: n', data: { uri: 'n' } }],
  [OPERATIONS.readResource, 'modern', { code: -32_602, message: 'Resource not found: n', data: { uri: 'n' } }],
  [OPERATIONS.completeTemplate, 'legacy', { code: -32_602, message: 'Unknown resource template: n' }],
] as const)('%o of what may not be seen in the %s era', (verb, era, error) => {
  expect(bodyOf(refused({ visible: false }), verb, era)).toEqual({ jsonrpc: '2.0', id: 1, error });
});

test('a refusal is an error of our own with its decision, and so is a failure without an answer', () => {
  expect(bodyOf(refused({ retryAfterMs: 7 }), OPERATIONS.getPrompt, 'legacy').error).toEqual({
    code: -31_000,
    message: 'too many calls',
    data: { 'dev.seneschal/decision': { decisionId: 'call-1', reason: 'rate-exceeded', retryAfterMs: 7 } },
  });
});

test('an error of the server is passed on, but for the code of what is not there', () => {
  const [legacy, modern] = (['legacy', 'modern'] as const).map((era) =>
    bodyOf(failed(-32_002), OPERATIONS.readResource, era),
  );
  expect(legacy?.error).toEqual({ code: -32_002, message: 'no', data: { uri: 'x' } });
  expect(modern?.error).toEqual({ code: -32_602, message: 'no', data: { uri: 'x' } });
  expect(bodyOf(failed(-32_050), OPERATIONS.getPrompt, 'modern').error).toMatchObject({ code: -32_050 });
});

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
] as const)('%s with %o cannot be read: %s', (method, params, problem) => {
  expect(parseCall(method, params)).toBe(problem);
});

test('a completion keeps its context, and nothing else of what was sent', () => {
  const argument = { name: 'a', value: 'b' };
  const context = { arguments: { c: 'd' } };
  const params = { ref: { type: 'ref/resource', uri: 'x:{a}' }, argument, context, other: 1 };
  const args = { argument, context };
  expect(parseCall('completion/complete', params)).toEqual({
    operation: OPERATIONS.completeTemplate,
    name: 'x:{a}',
    args,
  });
});
