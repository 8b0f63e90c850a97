import { expect, test } from 'vitest';
import { OPERATIONS } from '../../../src/domain/call.ts';
import type { Era } from '../../../src/domain/mcp/era.ts';
import { replyToToolCall } from '../../../src/ingress/mcp/methods/replies.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { completed, refused } from '../../fixtures/http-harness.ts';

const SERVER = { name: 'seneschal', version: '1' };
const REQUEST = { id: 'a"b', operation: OPERATIONS.callTool, name: 'files__echo' };

function bodyOf(reply: Parameters<typeof replyToToolCall>[0], era: Era = 'legacy'): unknown {
  return JSON.parse(replyToToolCall(reply, REQUEST, { era, serverInfo: SERVER }).body);
}

test('a legacy result goes through as it came', () => {
  const result = {
    content: [{ type: 'vendor', x: 1 }],
    structuredContent: { a: null },
    'x-vendor': [1],
    _meta: { k: 1 },
  };
  expect(bodyOf(completed(result))).toEqual({ jsonrpc: '2.0', id: 'a"b', result });
});

test('a modern result is stamped, and says who we are instead of who the tool server is', () => {
  const result = { content: [], _meta: { k: 1, 'io.modelcontextprotocol/serverInfo': { name: 'upstream' } } };
  expect(bodyOf(completed(result), 'modern')).toEqual({
    jsonrpc: '2.0',
    id: 'a"b',
    result: { content: [], resultType: 'complete', _meta: { k: 1, 'io.modelcontextprotocol/serverInfo': SERVER } },
  });
});

test('what a modern tool server stamped does not reach a legacy agent', () => {
  const result = {
    content: [],
    resultType: 'complete',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'u' } },
  };
  expect(bodyOf(completed(result))).toEqual({ jsonrpc: '2.0', id: 'a"b', result: { content: [] } });
});

test.each<JsonObject>([
  { resultType: 'complete', content: [] },
  { content: [], resultType: 'complete' },
  { content: [{ type: 'text', text: '","resultType":"complete"}' }], resultType: 'complete', isError: false },
  { content: [], structuredContent: { resultType: 'complete' } },
  { content: [], resultType: 'complete', structuredContent: { a: 1, resultType: 'complete' } },
  { resultType: 'complete' },
])('the type of a result is taken out of its text for a legacy agent, and nothing else: %j', (result) => {
  const reply = completed(result);
  const { resultType: _, ...rest } = result;
  const printed = { ...reply, outcome: { ...reply.outcome, resultText: JSON.stringify(result) } };
  expect(bodyOf(printed)).toEqual({ jsonrpc: '2.0', id: 'a"b', result: rest });
});

test('a hidden tool and an unknown one get the same bytes', () => {
  const hidden = replyToToolCall(
    refused({ reason: 'policy-denied', stage: 'authorize', visible: false }, 'call-1'),
    REQUEST,
    {
      era: 'legacy',
      serverInfo: SERVER,
    },
  );
  const unknown = replyToToolCall(
    refused({ reason: 'unknown-tool', stage: 'authorize', visible: false }, 'call-2'),
    REQUEST,
    {
      era: 'modern',
      serverInfo: SERVER,
    },
  );
  expect(hidden).toEqual(unknown);
  expect(hidden).toEqual({
    status: 200,
    body: '{"jsonrpc":"2.0","id":"a\\"b","error":{"code":-32602,"message":"Unknown tool: files__echo"}}',
  });
});

test.each(['deny', 'indeterminate'] as const)('a refusal by %s is a tool error that names its decision', (effect) => {
  expect(bodyOf(refused({ effect, message: 'cannot be decided now', reason: 'control-failed' }))).toEqual({
    jsonrpc: '2.0',
    id: 'a"b',
    result: {
      content: [{ type: 'text', text: 'cannot be decided now' }],
      isError: true,
      _meta: { 'dev.seneschal/decision': { decisionId: 'call-1', reason: 'control-failed' } },
    },
  });
});

test("a tool server's own error goes through as it came", () => {
  const error = { code: -32099, message: 'quota', data: { left: 0 } };
  const outcome = { kind: 'failed', reason: 'upstream-error', message: 'x', error, inDoubt: false } as const;
  expect(bodyOf({ callId: 'call-1', outcome })).toEqual({ jsonrpc: '2.0', id: 'a"b', error });
});

test('a tool server that gave no answer is a tool error that says why', () => {
  const outcome = { kind: 'failed', reason: 'upstream-timeout', message: 'no answer in 30s', inDoubt: true } as const;
  expect(bodyOf({ callId: 'call-1', outcome })).toMatchObject({
    result: { isError: true, _meta: { 'dev.seneschal/decision': { reason: 'upstream-timeout' } } },
  });
});
