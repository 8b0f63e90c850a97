import { expect, test } from 'vitest';
import type { CallReply } from '../../../src/broker/broker.ts';
import { OPERATIONS, type Operation } from '../../../src/domain/call.ts';
import { callReply } from '../../../src/ingress/mcp/methods/call-reply.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { completed, refused } from '../../fixtures/http-harness.ts';

const serverInfo = { name: 'seneschal', version: '0' };

function bodyOf(reply: CallReply, operation: Operation, era: 'legacy' | 'modern'): JsonObject {
  return JSON.parse(callReply(reply, { id: 1, operation, name: 'n' }, { era, serverInfo }).body) as JsonObject;
}

const failed = (code: number): CallReply => ({
  callId: 'call-1',
  outcome: {
    kind: 'failed',
    reason: 'upstream-error',
    message: 'the server answered with an error',
    inDoubt: false,
    error: { code, message: 'no', data: { uri: 'x' } },
  },
});

test('a read result is private to its principal, with the lifetime that its server set', () => {
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
] as const)('%o of an invisible target in the %s era is not found', (operation, era, error) => {
  expect(bodyOf(refused({ visible: false }), operation, era)).toEqual({ jsonrpc: '2.0', id: 1, error });
});

test('a refusal of a non-tool call is an error with its decision', () => {
  expect(bodyOf(refused({ retryAfterMs: 7 }), OPERATIONS.getPrompt, 'legacy').error).toEqual({
    code: -31_000,
    message: 'too many calls',
    data: { 'dev.seneschal/decision': { decisionId: 'call-1', reason: 'rate-exceeded', retryAfterMs: 7 } },
  });
});

test('an error of the server is passed on, except for the code of a missing resource', () => {
  const [legacy, modern] = (['legacy', 'modern'] as const).map((era) =>
    bodyOf(failed(-32_002), OPERATIONS.readResource, era),
  );
  expect(legacy?.error).toEqual({ code: -32_002, message: 'no', data: { uri: 'x' } });
  expect(modern?.error).toEqual({ code: -32_602, message: 'no', data: { uri: 'x' } });
  expect(bodyOf(failed(-32_050), OPERATIONS.getPrompt, 'modern').error).toMatchObject({ code: -32_050 });
});
