import { expect } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/lib/json/json.ts';
import { verifies } from '../requirements/verifies.ts';
import { type ServerWire, TOOL, type WireResponse } from '../wires/scripted-server.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

async function callTraced(wire: ServerWire, traceparent?: string): Promise<WireResponse> {
  await wire.upstream.call('act', {}, { definition: TOOL, ...(traceparent === undefined ? {} : { traceparent }) });
  const called = wire.of('tools/call').at(-1);
  if (called === undefined) throw new Error('nothing was called');
  return called;
}

function metaOf({ message: { params } }: WireResponse): JsonObject {
  const meta = isJsonObject(params) ? params._meta : undefined;
  return isJsonObject(meta) ? meta : {};
}

verifies('servers.trace', async (wire) => {
  const seen: (JsonValue | undefined)[] = [];
  for (const flags of ['01', '00', '03']) {
    seen.push(metaOf(await callTraced(wire, `00-${TRACE}-${PARENT}-${flags}`)).traceparent);
  }
  expect(seen).toEqual(['01', '00', '03'].map((flags) => expect.stringMatching(`^00-${TRACE}-[0-9a-f]{16}-${flags}$`)));
  expect(new Set([...seen.map((one) => (typeof one === 'string' ? one : '').split('-')[2]), PARENT]).size).toBe(4);
});

verifies('servers.trace.header', async (wire) => {
  const called = await callTraced(wire, `00-${TRACE}-${PARENT}-01`);
  expect(called.headers.traceparent).toContain(TRACE);
  expect(called.headers.traceparent).toBe(metaOf(called).traceparent);
});

verifies('servers.trace.none', async (wire) => {
  const invalid = [`ff-${TRACE}-${PARENT}-01`, `00-${'0'.repeat(32)}-${PARENT}-01`, `00-${TRACE}-${'0'.repeat(16)}-01`];
  for (const traceparent of [undefined, ...invalid]) {
    const called = await callTraced(wire, traceparent);
    expect(called.headers).not.toHaveProperty('traceparent');
    expect(metaOf(called)).not.toHaveProperty('traceparent');
  }
});
