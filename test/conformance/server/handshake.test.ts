import { expect } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../src/lib/json/json.ts';
import { textOf } from '../../fixtures/upstream-pool.ts';
import { verifies } from '../requirements/verifies.ts';
import { type ServerWire, TOOL } from '../wires/scripted-server.ts';

const methodsOf = ({ received }: ServerWire): unknown[] =>
  received.flatMap(({ message }) => (message.method === undefined ? [] : [message.method]));
const paramsOf = (message: JsonObject | undefined): JsonObject => (isJsonObject(message?.params) ? message.params : {});
/** What arrived after the era was known. */
const afterwards = ({ received, era }: ServerWire): ServerWire['received'] => {
  const known = era === 'legacy' ? 'notifications/initialized' : 'server/discover';
  return received.slice(received.findIndex(({ message }) => message.method === known) + 1);
};

verifies('servers.era.discover-first', async (wire) => {
  await wire.upstream.call('act');
  expect(methodsOf(wire)[0]).toBe('server/discover');
});

verifies('servers.era.fall-back', async (wire) => {
  expect(textOf(await wire.upstream.call('act', {}, { definition: TOOL }))).toBe('done');
  expect(methodsOf(wire).slice(0, 3)).toEqual(['server/discover', 'initialize', 'notifications/initialized']);
});

verifies('servers.era.version-error', async (wire) => {
  wire.answers['server/discover'] = () => ({
    error: { code: -32022, message: 'no', data: { supported: ['2026-07-28'], requested: '2026-07-28' } },
    status: 400,
  });
  expect(textOf(await wire.upstream.call('act', {}, { definition: TOOL }))).toBe('done');
  expect(methodsOf(wire)).not.toContain('initialize');
});

verifies('servers.era.remembered', async (wire) => {
  await wire.upstream.call('act', {}, { definition: TOOL });
  await wire.upstream.call('act', {}, { definition: TOOL });
  await wire.upstream.call('act', {}, { definition: TOOL, as: 'another' });
  const asked = methodsOf(wire).filter((method) => method === 'server/discover').length;
  // A modern session begins with it: there is no other way to learn what the server can do.
  expect(asked).toBe(wire.era === 'legacy' ? 1 : 2);
});

verifies('servers.initialize.version', async (wire) => {
  await wire.upstream.call('act');
  expect(paramsOf(wire.of('initialize')[0]?.message)).toMatchObject({
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'seneschal', version: '0.0.0' },
  });
});

function offer({ answers }: ServerWire, protocolVersion: string): void {
  const serverInfo = { name: 'old', version: '1' };
  answers.initialize = () => ({ result: { protocolVersion, capabilities: { tools: {} }, serverInfo } });
}

verifies('servers.initialize.older', async (wire) => {
  offer(wire, '2025-03-26');
  expect(textOf(await wire.upstream.call('act', {}, { definition: TOOL }))).toBe('done');
});

verifies('servers.initialize.foreign', async (wire) => {
  offer(wire, '2031-01-01');
  expect(await wire.upstream.call('act')).toMatchObject({ kind: 'failed', reason: 'upstream-unavailable' });
  expect(wire.of('tools/call')).toEqual([]);
});

verifies('servers.initialized', async (wire) => {
  await wire.upstream.call('act', {}, { definition: TOOL });
  const [first] = afterwards(wire);
  expect(methodsOf(wire).indexOf('notifications/initialized')).toBe(methodsOf(wire).indexOf('initialize') + 1);
  expect(first?.message).toMatchObject({ jsonrpc: '2.0', id: expect.anything() });
});

verifies('servers.once', async (wire) => {
  for (let calls = 0; calls < 3; calls += 1) await wire.upstream.call('act', {}, { definition: TOOL });
  expect([wire.of('initialize').length, wire.of('tools/call').length]).toEqual([1, 3]);
});

verifies('servers.envelope', async (wire) => {
  await wire.upstream.call('act', {}, { definition: TOOL });
  const requests = wire.received.filter(({ message }) => message.id !== undefined);
  expect(requests.length).toBeGreaterThan(2);
  for (const { message } of requests) {
    expect(paramsOf(message)._meta).toMatchObject({
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 'seneschal', version: '0.0.0' },
      'io.modelcontextprotocol/clientCapabilities': {},
    });
  }
});

verifies('servers.envelope.legacy', async (wire) => {
  await wire.upstream.call('act', {}, { definition: TOOL });
  const responses = JSON.stringify(afterwards(wire).map(({ message }) => message));
  expect(responses).not.toContain('io.modelcontextprotocol/');
});

verifies('servers.headers.version', async (wire) => {
  await wire.upstream.call('act', {}, { definition: TOOL });
  const versions = new Set(afterwards(wire).map(({ headers }) => headers['mcp-protocol-version']));
  expect([...versions]).toEqual([wire.era === 'legacy' ? '2025-11-25' : '2026-07-28']);
});

verifies('servers.headers.accept', async (wire) => {
  await wire.upstream.call('act', {}, { definition: TOOL });
  const posts = wire.received.filter(({ verb, message }) => verb === 'POST' && message.id !== undefined);
  expect(new Set(posts.map(({ headers }) => headers.accept))).toEqual(new Set(['application/json, text/event-stream']));
});

verifies('servers.headers.mirrored', async (wire) => {
  await wire.upstream.call('act', {}, { definition: TOOL });
  for (const { headers, message } of wire.received) expect(headers['mcp-method']).toBe(message.method);
  expect(wire.of('tools/call')[0]?.headers['mcp-name']).toBe('act');
  expect(wire.of('tools/list')[0]?.headers['mcp-name']).toBeUndefined();
});

verifies('servers.headers.encoded', async (wire) => {
  const definition = { ...TOOL, name: 'héllo' };
  wire.answers['tools/list'] = () => ({ result: { tools: [definition] } });
  await wire.upstream.call('héllo', {}, { definition });
  expect(wire.of('tools/call')[0]?.headers['mcp-name']).toBe('=?base64?aMOpbGxv?=');
});

const ANNOTATED: JsonObject = {
  ...TOOL,
  inputSchema: {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      zone: { type: 'string', 'x-mcp-header': 'Zone' },
    },
  },
};

verifies('servers.session.repeated', async (wire) => {
  await wire.upstream.call('act', {}, { definition: TOOL });
  const [discover, initialize] = wire.received;
  expect([discover, initialize].map((one) => one?.headers['mcp-session-id'])).toEqual([undefined, undefined]);
  const sessions = new Set(wire.received.slice(2).map(({ headers }) => headers['mcp-session-id']));
  expect([...sessions]).toEqual(['session-1']);
});

verifies('servers.headers.parameters', async (wire) => {
  wire.answers['tools/list'] = () => ({ result: { tools: [ANNOTATED] } });
  await wire.upstream.call('act', { region: 'zürich' }, { definition: ANNOTATED });
  const headers = wire.of('tools/call')[0]?.headers;
  expect([headers?.['mcp-param-region'], headers?.['mcp-param-zone']]).toEqual(['=?base64?esO8cmljaA==?=', undefined]);
});

verifies('servers.headers.legacy', async (wire) => {
  wire.answers['tools/list'] = () => ({ result: { tools: [ANNOTATED] } });
  await wire.upstream.call('act', { region: 'a' }, { definition: ANNOTATED });
  for (const { headers } of afterwards(wire)) {
    expect(Object.keys(headers).filter((name) => name.startsWith('mcp-'))).toEqual([
      'mcp-protocol-version',
      'mcp-session-id',
    ]);
  }
});

verifies('servers.session.lost', async (wire) => {
  await wire.upstream.call('act', {}, { definition: TOOL, risk: 'read' });
  const act = wire.answers['tools/call'];
  let isLost = true;
  wire.answers['tools/call'] = (asked) => {
    if (!isLost) return act?.(asked) ?? 'nothing';
    isLost = false;
    return { error: { code: -32001, message: 'Session not found' }, status: 404 };
  };
  expect(textOf(await wire.upstream.call('act', {}, { definition: TOOL, risk: 'read' }))).toBe('done');
  const [, again] = wire.of('initialize');
  expect([wire.of('initialize').length, again?.headers['mcp-session-id']]).toEqual([2, undefined]);
});

verifies('servers.session.ended', async (wire) => {
  await wire.upstream.call('act', {}, { definition: TOOL });
  await wire.upstream.pool.close();
  const ended = wire.received.filter(({ verb }) => verb === 'DELETE');
  expect(ended.map(({ headers }) => headers['mcp-session-id'])).toEqual(['session-1']);
});

verifies('servers.session.listened', async (wire) => {
  await wire.upstream.call('act', {}, { definition: TOOL });
  await wire.until(() => wire.received.some(({ verb }) => verb === 'GET'));
  const listening = wire.received.find(({ verb }) => verb === 'GET');
  expect([listening?.headers.accept, listening?.headers['mcp-session-id']]).toEqual(['text/event-stream', 'session-1']);
});

verifies('servers.session.none', async (wire) => {
  const discover = wire.answers['server/discover'];
  wire.answers['server/discover'] = async (asked) => {
    const answered = await discover?.(asked);
    if (answered === undefined || answered === 'nothing' || 'error' in answered) return 'nothing';
    return { ...answered, headers: { 'mcp-session-id': 'unasked' } };
  };
  await wire.upstream.call('act', {}, { definition: TOOL });
  await wire.upstream.pool.close();
  const seen = wire.received.map(({ verb, headers }) => [verb, headers['mcp-session-id']]);
  expect(new Set(seen.flat())).toEqual(new Set(['POST', undefined]));
});
