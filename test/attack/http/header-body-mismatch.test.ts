import { afterEach, beforeEach, expect, test } from 'vitest';
import { modernCall, modernMessage, openSession, send } from '../../fixtures/clients/raw-http.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { type HttpHarness, openHarness } from '../../fixtures/http-harness.ts';

let harness: HttpHarness;

beforeEach(async () => {
  harness = await openHarness();
});

afterEach(() => harness.ingress.close({ drainMs: 0 }));

async function call(headers: Record<string, string>): Promise<{ status: number; code: unknown }> {
  const { headers: right, body } = modernCall('files__delete');
  const sent: Record<string, string> = { ...right, ...headers };
  for (const [name, value] of Object.entries(sent)) if (value === '-') delete sent[name];
  const answer = await send(harness.ingress.port, { headers: sent, body });
  return { status: answer.status, code: JSON.parse(answer.body).error?.code };
}

const MISMATCH = { status: 400, code: -32020 };

verifies('P2').each([
  ['another tool', { 'mcp-name': 'files__read' }],
  ['no tool', { 'mcp-name': '-' }],
  ['two tools', { 'mcp-name': 'files__delete, files__read' }],
  ['another case', { 'mcp-name': 'FILES__DELETE' }],
  ['base64 that is none', { 'mcp-name': '=?base64?***?=' }],
  ['base64 of another tool', { 'mcp-name': '=?base64?ZmlsZXNfX3JlYWQ=?=' }],
  ['base64 of bytes that are not UTF-8', { 'mcp-name': '=?base64?/w==?=' }],
  ['another method', { 'mcp-method': 'tools/list' }],
  ['no method', { 'mcp-method': '-' }],
  ['no version', { 'mcp-protocol-version': '-' }],
  ['another version', { 'mcp-protocol-version': '2025-11-25' }],
])('P2: a call whose headers name %s than the body reaches no tool', async (_what, headers) => {
  expect(await call(headers)).toEqual(MISMATCH);
  expect(harness.broker.calls).toEqual([]);
  expect(harness.broker.malformed).toMatchObject([{ principal: { id: 'agent:demo' }, code: -32020 }]);
});

verifies('P2')('the base64 form of the name matches it', async () => {
  expect(await call({ 'mcp-name': '=?base64?ZmlsZXNfX2RlbGV0ZQ==?=' })).toEqual({ status: 200, code: undefined });
  expect(harness.broker.calls[0]?.exposedName).toBe('files__delete');
});

verifies('P2').each([
  ['another method', { 'mcp-method': 'tools/list' }],
  ['another tool', { 'mcp-method': 'tools/call', 'mcp-name': 'files__read' }],
  ['another tool alone', { 'mcp-name': '=?base64?ZmlsZXNfX3JlYWQ=?=' }],
])(
  'a legacy call whose headers name %s reaches no tool, though its revision has no such headers',
  async (_what, headers) => {
    const session = await openSession(harness.ingress.port);
    const body = JSON.stringify({
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: 'files__delete', arguments: {} },
    });
    expect((await send(harness.ingress.port, { headers: session, body })).status).toBe(200);
    const answer = await send(harness.ingress.port, { headers: { ...session, ...headers }, body });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ id: 2, error: { code: -32020 } });
    expect(harness.broker.calls).toHaveLength(1);
  },
);

test('the error of an unsupported version lists the supported ones', async () => {
  const message = modernMessage('tools/list');
  const body = JSON.stringify(message).replace('2026-07-28', '2099-01-01');
  const headers = { 'mcp-protocol-version': '2099-01-01', 'mcp-method': 'tools/list' };
  const answer = await send(harness.ingress.port, { headers, body });
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body)).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: {
      code: -32022,
      message: 'the protocol version is not supported',
      data: { supported: ['2026-07-28'], requested: '2099-01-01' },
    },
  });
});

test.each([
  ['no `_meta`', undefined],
  ['no protocol version', { 'io.modelcontextprotocol/clientCapabilities': {} }],
  ['no capabilities', { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }],
  [
    'a version that is a number',
    { 'io.modelcontextprotocol/protocolVersion': 1, 'io.modelcontextprotocol/clientCapabilities': {} },
  ],
])('a modern request with %s is refused', async (_what, meta) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x', _meta: meta } });
  const answer = await send(harness.ingress.port, { headers: modernCall('x').headers, body });
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body).error.code).toBe(-32602);
  expect(harness.broker.calls).toEqual([]);
});
