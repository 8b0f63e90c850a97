import { expect } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { verifies } from '../requirements/verifies.ts';
import type { HttpAgentWire } from '../wires/agent-wire.ts';

type Headers = Readonly<Record<string, string | undefined>>;

async function codeOf(wire: HttpAgentWire, method: string, params: JsonObject, headers: Headers): Promise<unknown[]> {
  const { status, message } = await wire.request(method, params, { headers });
  return [status, Object(message.error).code];
}

const CALL: JsonObject = { name: 'files__echo', arguments: {} };
const MISMATCH = [400, -32020];

verifies('agents.headers.version', async (wire) => {
  expect(await codeOf(wire, 'tools/list', {}, { 'mcp-protocol-version': undefined })).toEqual(MISMATCH);
  expect(await codeOf(wire, 'tools/list', {}, { 'mcp-protocol-version': '2025-11-25' })).toEqual(MISMATCH);
});

verifies('agents.headers.method', async (wire) => {
  for (const method of [undefined, 'tools/list', 'Tools/Call', 'TOOLS/CALL']) {
    expect(await codeOf(wire, 'tools/call', CALL, { 'mcp-method': method })).toEqual(MISMATCH);
  }
  expect((await wire.request('tools/call', CALL, { headers: { 'mcp-method': '  tools/call  ' } })).status).toBe(200);
  expect(wire.broker.calls.length).toBe(1);
});

for (const [method, params] of [
  ['tools/call', CALL],
  ['prompts/get', { name: 'files__echo' }],
  ['resources/read', { uri: 'test://a' }],
] as const) {
  verifies(
    'agents.headers.name',
    async (wire) => {
      for (const name of [undefined, 'another', 'FILES__ECHO', 'TEST://a']) {
        expect(await codeOf(wire, method, params, { 'mcp-name': name })).toEqual(MISMATCH);
      }
      expect(wire.broker.calls).toEqual([]);
    },
    method,
  );
}

verifies('agents.headers.name-encoded', async (wire) => {
  const params = { name: 'héllo', arguments: {} };
  expect((await wire.request('tools/call', params, { headers: { 'mcp-name': '=?base64?aMOpbGxv?=' } })).status).toBe(
    200,
  );
  for (const wrong of ['=?base64?aMOpbGx?=', '=?base64?!!!!?=', '=?base64?aGVsbG8=?=', '=?base64?/////w==?=']) {
    expect(await codeOf(wire, 'tools/call', params, { 'mcp-name': wrong })).toEqual(MISMATCH);
  }
});

const ANNOTATED: JsonObject = {
  name: 'files__echo',
  inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } },
};

verifies('agents.headers.parameter', async (wire) => {
  wire.broker.tools = [ANNOTATED];
  const call = { name: 'files__echo', arguments: { region: 'Hello' } };
  for (const region of [undefined, 'hello', '=?base64?SGVsbG8?=', '=?base64?SGVs!!!bG8=?=']) {
    expect(await codeOf(wire, 'tools/call', call, { 'mcp-param-region': region })).toEqual(MISMATCH);
  }
  for (const region of ['Hello', '=?base64?SGVsbG8=?=']) {
    expect((await wire.request('tools/call', call, { headers: { 'mcp-param-region': region } })).status).toBe(200);
  }
  expect(wire.broker.calls.length).toBe(2);
});
