import { expect, test } from 'vitest';
import { OPERATIONS } from '../../../src/domain/call.ts';
import type { Era } from '../../../src/domain/mcp/era.ts';
import { callReply } from '../../../src/ingress/mcp/methods/call-reply.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { completed, refused } from '../../fixtures/http-harness.ts';

const SERVER = { name: 'seneschal', version: '1' };
const REQUEST = { id: 'a"b', operation: OPERATIONS.callTool, name: 'files__echo' };

function bodyOf(reply: Parameters<typeof callReply>[0], era: Era = 'legacy'): unknown {
  return JSON.parse(callReply(reply, REQUEST, { era, serverInfo: SERVER }).body);
}

test('a legacy result passes unchanged', () => {
  const result = {
    content: [{ type: 'vendor', x: 1 }],
    structuredContent: { a: null },
    'x-vendor': [1],
    _meta: { k: 1 },
  };
  expect(bodyOf(completed(result))).toEqual({ jsonrpc: '2.0', id: 'a"b', result });
});

test('a modern result has a type, and our identity replaces that of the tool server', () => {
  const result = { content: [], _meta: { k: 1, 'io.modelcontextprotocol/serverInfo': { name: 'upstream' } } };
  expect(bodyOf(completed(result), 'modern')).toEqual({
    jsonrpc: '2.0',
    id: 'a"b',
    result: { content: [], resultType: 'complete', _meta: { k: 1, 'io.modelcontextprotocol/serverInfo': SERVER } },
  });
});

test('the type and the identity of a modern tool server do not reach a legacy agent', () => {
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
])('only the type is removed from the text of a result for a legacy agent: %j', (result) => {
  const reply = completed(result);
  const { resultType: _, ...rest } = result;
  const printed = { ...reply, outcome: { ...reply.outcome, resultText: JSON.stringify(result) } };
  expect(bodyOf(printed)).toEqual({ jsonrpc: '2.0', id: 'a"b', result: rest });
});

test('a hidden tool and an unknown one get the same response, byte for byte', () => {
  const hidden = callReply(
    refused({ reason: 'policy-denied', stage: 'authorize', visible: false }, 'call-1'),
    REQUEST,
    {
      era: 'legacy',
      serverInfo: SERVER,
    },
  );
  const unknown = callReply(
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

test("a tool server's own error passes unchanged", () => {
  const error = { code: -32099, message: 'quota', data: { left: 0 } };
  const outcome = { kind: 'failed', reason: 'upstream-error', message: 'x', error, inDoubt: false } as const;
  expect(bodyOf({ callId: 'call-1', outcome })).toEqual({ jsonrpc: '2.0', id: 'a"b', error });
});

test('a tool server that did not respond is a tool error with the reason', () => {
  const outcome = { kind: 'failed', reason: 'upstream-timeout', message: 'no answer in 30s', inDoubt: true } as const;
  expect(bodyOf({ callId: 'call-1', outcome })).toMatchObject({
    result: { isError: true, _meta: { 'dev.seneschal/decision': { reason: 'upstream-timeout' } } },
  });
});

test.each([
  [undefined, 0],
  [1_500, 1_500],
])('an overload with a retry after %s ms has the status 503 and says when to retry', (retryAfterMs, expected) => {
  const overload = refused({ reason: 'overloaded', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  const reply = callReply(overload, REQUEST, { era: 'modern', serverInfo: SERVER });
  expect(reply).toMatchObject({ status: 503, retryAfterMs: expected });
  expect(JSON.parse(reply.body)).toMatchObject({ result: { isError: true } });
});

test('a missing capability is a bad request in the modern era, and a tool error in the legacy era', () => {
  const error = { code: -32021, message: 'no elicitation' };
  const outcome = { kind: 'failed', reason: 'capability-missing', message: 'x', error, inDoubt: false } as const;
  const replies = (['modern', 'legacy'] as const).map((era) =>
    callReply({ callId: 'call-1', outcome }, REQUEST, { era, serverInfo: SERVER }),
  );
  expect(replies.map(({ status }) => status)).toEqual([400, 200]);
  expect(replies.map(({ body }) => JSON.parse(body))).toMatchObject([{ error }, { result: { isError: true } }]);
});
