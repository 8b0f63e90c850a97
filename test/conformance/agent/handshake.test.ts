import { expect } from 'vitest';
import { verifies } from '../requirements/verifies.ts';
import { type AgentWire, INITIALIZE_PARAMS } from '../wires/agent-wire.ts';

const INFO = { name: 'seneschal', version: '0.1.0-test' };

/** `initialize` as the first message of a conversation. */
async function initialize(wire: AgentWire, params: object = {}): Promise<Record<string, unknown>> {
  const message = { jsonrpc: '2.0', id: 'i', method: 'initialize', params: { ...INITIALIZE_PARAMS, ...params } };
  return (await wire.raw(JSON.stringify(message))).message;
}

verifies('agents.initialize.version-spoken', async (wire) => {
  const protocolVersion = '2025-06-18';
  expect(await initialize(wire, { protocolVersion })).toMatchObject({ id: 'i', result: { protocolVersion } });
});

verifies('agents.initialize.counter-offer', async (wire) => {
  const asked = { protocolVersion: '1999-01-01' };
  expect(await initialize(wire, asked)).toMatchObject({ result: { protocolVersion: '2025-11-25' } });
});

verifies('agents.initialize.identity', async (wire) => {
  expect(await initialize(wire)).toMatchObject({
    result: { serverInfo: INFO, capabilities: { tools: { listChanged: true } } },
  });
});

for (const left of ['protocolVersion', 'capabilities', 'clientInfo']) {
  verifies(
    'agents.initialize.parameters',
    async (wire) => {
      expect(await initialize(wire, { [left]: undefined })).toMatchObject({ id: 'i', error: { code: -32602 } });
    },
    `without ${left}`,
  );
}

verifies('agents.initialize.first', async (wire) => {
  const { status, message } = await wire.raw('{"jsonrpc":"2.0","id":1,"method":"tools/list"}');
  expect(message).toMatchObject({ id: 1, error: { code: wire.transport === 'http' ? -32000 : -32600 } });
  expect(status).toBe(wire.transport === 'http' ? 400 : undefined);
});

verifies('agents.initialized', async (wire) => {
  expect(await wire.notify('notifications/initialized')).toBe(wire.transport === 'http' ? 202 : undefined);
  expect((await wire.request('ping')).before).toEqual([]);
});

verifies('agents.capabilities.offers', async (wire) => {
  wire.broker.capabilities = { ...wire.broker.capabilities, prompts: true, completions: true };
  const declared = wire.era === 'legacy' ? await initialize(wire) : (await wire.request('server/discover')).message;
  expect(declared).toMatchObject({
    result: {
      capabilities: { tools: { listChanged: true }, prompts: { listChanged: true }, completions: {} },
    },
  });
  expect(declared).not.toMatchObject({ result: { capabilities: { resources: {} } } });
});

verifies('agents.discover', async (wire) => {
  const { message } = await wire.request('server/discover');
  expect(message).toMatchObject({
    result: {
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: { listChanged: true } },
      ttlMs: 5_000,
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': INFO },
    },
  });
});

verifies('agents.stateless', async (wire) => {
  expect((await wire.request('tools/call', { name: 'files__echo' })).message).toMatchObject({
    result: { content: [{ type: 'text', text: '{}' }] },
  });
});

const META = 'io.modelcontextprotocol';
const WHOLE = {
  [`${META}/protocolVersion`]: '2026-07-28',
  [`${META}/clientCapabilities`]: {},
  [`${META}/clientInfo`]: { name: 'wire', version: '1' },
};

async function withMeta(wire: AgentWire, meta: object | undefined): Promise<{ status: unknown; message: unknown }> {
  const params = meta === undefined ? {} : { _meta: JSON.parse(JSON.stringify(meta)) };
  const { status, message } = await wire.request('server/discover', params, { bare: true });
  return { status, message };
}

verifies('agents.envelope.meta', async (wire) => {
  const { status, message } = await withMeta(wire, undefined);
  expect(message).toMatchObject({ error: { code: -32602 } });
  expect(status).toBe(wire.transport === 'http' ? 400 : undefined);
});

verifies('agents.envelope.version', async (wire) => {
  const { status, message } = await withMeta(wire, { ...WHOLE, [`${META}/protocolVersion`]: undefined });
  expect(message).toMatchObject({ error: { code: -32602 } });
  expect(status).toBe(wire.transport === 'http' ? 400 : undefined);
});

verifies('agents.envelope.capabilities', async (wire) => {
  const { status, message } = await withMeta(wire, { ...WHOLE, [`${META}/clientCapabilities`]: undefined });
  expect(message).toMatchObject({ error: { code: -32602 } });
  expect(status).toBe(wire.transport === 'http' ? 400 : undefined);
});

verifies('agents.envelope.client', async (wire) => {
  const { message } = await withMeta(wire, { ...WHOLE, [`${META}/clientInfo`]: undefined });
  expect(message).toMatchObject({ result: { supportedVersions: ['2026-07-28'] } });
});

verifies('agents.version.unsupported', async (wire) => {
  const requested = '2099-01-01';
  const params = { _meta: { ...WHOLE, [`${META}/protocolVersion`]: requested } };
  const headers = { 'mcp-protocol-version': requested };
  const { status, message } = await wire.request('server/discover', params, { bare: true, headers });
  expect(message).toMatchObject({ error: { code: -32022, data: { supported: ['2026-07-28'], requested } } });
  expect(status).toBe(wire.transport === 'http' ? 400 : undefined);
});

verifies('agents.version.legacy-header', async (wire) => {
  const { status } = await wire.request('ping', {}, { headers: { 'mcp-protocol-version': '1999-01-01' } });
  expect(status).toBe(400);
  expect((await wire.request('ping', {}, { headers: { 'mcp-protocol-version': '2025-11-25' } })).status).toBe(200);
});

for (const method of ['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe']) {
  verifies(
    'agents.methods.removed',
    async (wire) => {
      const { status, message } = await wire.request(method, { uri: 'test://x', level: 'info' });
      expect(message).toMatchObject({ error: { code: -32601 } });
      expect(status).toBe(wire.transport === 'http' ? 404 : undefined);
    },
    method,
  );
}

verifies('agents.methods.unknown', async (wire) => {
  const { status, message } = await wire.request('unknown/method');
  expect(message).toMatchObject({ error: { code: -32601 } });
  const overHttp = wire.era === 'modern' ? 404 : 200;
  expect(status).toBe(wire.transport === 'http' ? overHttp : undefined);
});

verifies('agents.ping', async (wire) => {
  expect((await wire.request('ping', {}, { id: 'p' })).message).toEqual({ jsonrpc: '2.0', id: 'p', result: {} });
});

verifies('agents.result-type', async (wire) => {
  for (const [method, params] of [
    ['tools/list', {}],
    ['tools/call', { name: 'files__echo' }],
  ] as const) {
    const { result } = (await wire.request(method, params)).message;
    expect([method, Object(result).resultType]).toEqual([method, wire.era === 'modern' ? 'complete' : undefined]);
  }
});

verifies('agents.server-identity', async (wire) => {
  const named = { 'io.modelcontextprotocol/serverInfo': { name: 'the tool server', version: '9' } };
  wire.broker.behaviour = () => ({
    callId: 'c',
    outcome: { kind: 'completed', result: { content: [], _meta: named }, resultBytes: 1 },
  });
  const { result } = (await wire.request('tools/call', { name: 'files__echo' })).message;
  expect(Object(result)._meta).toEqual(
    wire.era === 'modern' ? { 'io.modelcontextprotocol/serverInfo': INFO } : undefined,
  );
});
