import { expect } from 'vitest';
import type { CallReply } from '../../../src/broker/broker.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { refused } from '../../fixtures/http-harness.ts';
import { verifies } from '../requirements/verifies.ts';
import type { AgentWire } from '../wires/agent-wire.ts';

const completed = (result: JsonObject): CallReply => ({
  callId: 'call-1',
  outcome: { kind: 'completed', result, resultBytes: 1, resultText: JSON.stringify(result) },
});

/** The result without what its era puts around every one. */
function bare(message: JsonObject): JsonObject {
  const { resultType: _, _meta: __, ...rest } = Object(message.result) as JsonObject;
  return rest;
}

/** The error, in an answer that HTTP carries as 200. */
async function errorOf(wire: AgentWire, method: string, params: JsonObject): Promise<unknown> {
  const { status, message } = await wire.request(method, params);
  expect(status).toBe(wire.transport === 'http' ? 200 : undefined);
  return message.error;
}

verifies('agents.calls.arguments', async (wire) => {
  const args = { text: 'ä', deep: { list: [1, null, { x: false }] } };
  await wire.request('tools/call', { name: 'files__echo', arguments: args });
  await wire.request('tools/call', { name: 'files__echo' });
  expect(wire.broker.calls.map(({ exposedName, args: sent }) => [exposedName, sent])).toEqual([
    ['files__echo', args],
    ['files__echo', {}],
  ]);
});

const EVERY_CONTENT: JsonObject = {
  content: [
    { type: 'text', text: 'a', annotations: { audience: ['user'], priority: 0.5 } },
    { type: 'image', data: 'AA==', mimeType: 'image/png' },
    { type: 'audio', data: 'AA==', mimeType: 'audio/wav' },
    { type: 'resource', resource: { uri: 'test://a', text: 'b' } },
    { type: 'resource_link', uri: 'test://b', name: 'b' },
    { type: 'hologram', 'x-vendor': [1] },
  ],
  structuredContent: { a: [1, 2] },
  'x-more': { b: null },
};

verifies('agents.calls.result', async (wire) => {
  wire.broker.behaviour = () => completed(EVERY_CONTENT);
  const { message } = await wire.request('tools/call', { name: 'files__echo' });
  expect(bare(message)).toEqual(EVERY_CONTENT);
});

verifies('agents.calls.parameters', async (wire) => {
  for (const params of [{}, { name: 7 }, { name: 'files__echo', arguments: [] }, { name: 'a', arguments: null }]) {
    expect(await errorOf(wire, 'tools/call', params)).toMatchObject({ code: -32602 });
  }
  expect(wire.broker.calls).toEqual([]);
});

verifies('agents.calls.unknown', async (wire) => {
  wire.broker.behaviour = () => refused({ reason: 'unknown-tool', visible: false });
  expect(await errorOf(wire, 'tools/call', { name: 'files__no' })).toEqual({
    code: -32602,
    message: 'Unknown tool: files__no',
  });
});

verifies('agents.calls.tool-error', async (wire) => {
  const result = { content: [{ type: 'text', text: 'it broke' }], isError: true };
  wire.broker.behaviour = () => completed(result);
  expect(bare((await wire.request('tools/call', { name: 'files__echo' })).message)).toEqual(result);
});

verifies('agents.calls.server-error', async (wire) => {
  const error = { code: -32050, message: 'no such thing', data: { which: [7] } };
  const outcome = { kind: 'failed', reason: 'upstream-error', message: 'x', inDoubt: false, error } as const;
  wire.broker.behaviour = () => ({ callId: 'c', outcome });
  expect(await errorOf(wire, 'tools/call', { name: 'files__echo' })).toEqual(error);
});

verifies('agents.calls.refused', async (wire) => {
  wire.broker.behaviour = () => refused({ retryAfterMs: 1_500 }, 'call-7');
  const { message } = await wire.request('tools/call', { name: 'files__echo' });
  expect(message.result).toMatchObject({
    isError: true,
    content: [{ type: 'text', text: 'too many calls' }],
    _meta: { 'dev.seneschal/decision': { decisionId: 'call-7', reason: 'rate-exceeded', retryAfterMs: 1_500 } },
  });
});

const PROMPT: JsonObject = {
  description: 'a prompt',
  messages: [{ role: 'user', content: { type: 'text', text: 'Summarise' } }],
  'x-more': [1],
};

verifies('agents.prompts.get', async (wire) => {
  wire.broker.behaviour = () => completed(PROMPT);
  const { message } = await wire.request('prompts/get', { name: 'files__summary', arguments: { length: 'short' } });
  expect(bare(message)).toEqual(PROMPT);
  expect(wire.broker.calls[0]).toMatchObject({ exposedName: 'files__summary', args: { length: 'short' } });
  expect(wire.broker.calls[0]?.operation).toMatchObject({ action: 'get', kind: 'prompt' });
});

verifies('agents.prompts.unknown', async (wire) => {
  wire.broker.behaviour = () => refused({ reason: 'unknown-prompt', visible: false });
  expect(await errorOf(wire, 'prompts/get', { name: 'files__no' })).toEqual({
    code: -32602,
    message: 'Unknown prompt: files__no',
  });
});

for (const [method, params] of [
  ['prompts/get', { name: 'files__summary' }],
  ['resources/read', { uri: 'test://a' }],
] as const) {
  verifies(
    'agents.prompts.refused',
    async (wire) => {
      wire.broker.behaviour = () => refused({}, 'call-7');
      expect(await errorOf(wire, method, params)).toEqual({
        code: -31000,
        message: 'too many calls',
        data: { 'dev.seneschal/decision': { decisionId: 'call-7', reason: 'rate-exceeded' } },
      });
    },
    method,
  );
}

const READ: JsonObject = {
  contents: [
    { uri: 'test://a', mimeType: 'text/plain', text: 'ä' },
    { uri: 'test://a/b', mimeType: 'image/png', blob: 'AA==', 'x-vendor': {} },
  ],
};

verifies('agents.resources.read', async (wire) => {
  wire.broker.behaviour = () => completed(READ);
  const { message } = await wire.request('resources/read', { uri: 'test://a' });
  expect(bare(message)).toMatchObject(READ);
  expect(wire.broker.calls[0]).toMatchObject({
    exposedName: 'test://a',
    operation: { action: 'read', kind: 'resource' },
  });
});

verifies('agents.resources.unknown', async (wire) => {
  wire.broker.behaviour = () => refused({ reason: 'unknown-resource', visible: false });
  expect(await errorOf(wire, 'resources/read', { uri: 'test://no' })).toEqual({
    code: wire.era === 'modern' ? -32602 : -32002,
    message: 'Resource not found: test://no',
    data: { uri: 'test://no' },
  });
});

verifies('agents.resources.caching', async (wire) => {
  wire.broker.behaviour = () => completed({ ...READ, ttlMs: 9_000, cacheScope: 'public' });
  const { result } = (await wire.request('resources/read', { uri: 'test://a' })).message;
  const { ttlMs, cacheScope } = Object(result);
  expect([ttlMs, cacheScope]).toEqual(wire.era === 'modern' ? [9_000, 'private'] : [undefined, undefined]);
});

const COMPLETION: JsonObject = { completion: { values: ['a', 'b'], total: 3, hasMore: true } };

for (const [kind, ref, name] of [
  ['prompt', { type: 'ref/prompt', name: 'files__summary' }, 'files__summary'],
  ['template', { type: 'ref/resource', uri: 'test://{id}' }, 'test://{id}'],
] as const) {
  verifies(
    'agents.completion',
    async (wire) => {
      wire.broker.behaviour = () => completed(COMPLETION);
      const asked = { argument: { name: 'id', value: 'a' }, context: { arguments: { other: 'b' } } };
      expect(bare((await wire.request('completion/complete', { ref, ...asked })).message)).toEqual(COMPLETION);
      const [call] = wire.broker.calls;
      expect([call?.exposedName, call?.args, call?.operation.kind]).toEqual([name, asked, kind]);
    },
    kind,
  );
}

verifies('agents.completion.reference', async (wire) => {
  const argument = { name: 'id', value: 'a' };
  for (const ref of [null, {}, { type: 'ref/tool', name: 'a' }, { type: 'ref/prompt' }]) {
    expect(await errorOf(wire, 'completion/complete', { ref, argument })).toMatchObject({ code: -32602 });
  }
  expect(wire.broker.calls).toEqual([]);
});
