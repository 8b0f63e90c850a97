import { expect } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { textOf } from '../../fixtures/upstream-pool.ts';
import { verifies } from '../requirements/verifies.ts';
import { type Asked, type ServerWire, TOOL } from '../wires/scripted-server.ts';

const CALL = { definition: TOOL } as const;
const content = (text: string): JsonObject => ({ content: [{ type: 'text', text }] });

verifies('servers.lists.declared', async (wire) => {
  const first = wire.era === 'legacy' ? 'initialize' : 'server/discover';
  const declared = { capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } };
  wire.answers[first] = () => ({
    result: { protocolVersion: '2025-11-25', supportedVersions: ['2026-07-28'], ...declared },
  });
  await wire.upstream.pool.discover('srv');
  const listed = wire.received.flatMap(({ message: { method } }) =>
    typeof method === 'string' && method.endsWith('list') ? method : [],
  );
  expect(listed).toEqual(['tools/list']);
});

verifies('servers.lists.cursors', async (wire) => {
  const named = (name: string): JsonObject => ({ ...TOOL, name });
  wire.answers['tools/list'] = ({ params }) => {
    const pages: Readonly<Record<string, JsonObject>> = {
      first: { tools: [named('a')], nextCursor: 'sécond' },
      sécond: { tools: [named('b')], nextCursor: 'third' },
      third: { tools: [named('c')] },
    };
    return { result: pages[typeof params.cursor === 'string' ? params.cursor : 'first'] ?? {} };
  };
  const observed = await wire.upstream.pool.discover('srv');
  expect('tools' in observed && observed.tools.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
});

verifies('servers.lists.verbatim', async (wire) => {
  const unusual: JsonObject = {
    ...TOOL,
    inputSchema: { type: 'object', $defs: { a: { $anchor: 'x' } }, if: { required: ['a'] }, 'x-vendor': null },
    outputSchema: { type: 'array' },
    'x-more': [{ deep: 1 }],
  };
  wire.answers['tools/list'] = () => ({ result: { tools: [unusual] } });
  const observed = await wire.upstream.pool.discover('srv');
  expect('tools' in observed && observed.tools).toEqual([unusual]);
});

verifies('servers.lists.changed', async (wire) => {
  await wire.upstream.call('act', {}, CALL);
  if (wire.transport === 'http') await wire.until(() => wire.received.some(({ verb }) => verb === 'GET'));
  wire.answers['tools/list'] = () => ({ result: { tools: [TOOL, { ...TOOL, name: 'new' }] } });
  const changed = wire.upstream.nextChange();
  wire.push({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  const change = await changed;
  expect('tools' in change && change.tools.map(({ name }) => name)).toEqual(['act', 'new']);
});

verifies('servers.calls.forwarded', async (wire) => {
  const args = { text: 'ä', deep: { list: [1, null, { x: false }] } };
  await wire.upstream.call('act', args, CALL);
  expect(wire.of('tools/call')[0]?.message).toMatchObject({
    jsonrpc: '2.0',
    method: 'tools/call',
    params: { name: 'act', arguments: args },
  });
});

verifies('servers.calls.result', async (wire) => {
  const result: JsonObject = {
    content: [{ type: 'hologram', 'x-vendor': [1] }],
    structuredContent: [3, null],
    isError: false,
    'x-more': { a: null },
  };
  wire.answers['tools/call'] = () => ({ result });
  expect(await wire.upstream.call('act', {}, CALL)).toMatchObject({ kind: 'completed', result });
});

verifies('servers.calls.stream', async (wire) => {
  wire.answers['tools/call'] = ({ say }) => {
    say({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } });
    say({ jsonrpc: '2.0', method: 'notifications/unknown' });
    return { result: content('at last') };
  };
  expect(textOf(await wire.upstream.call('act', {}, CALL))).toBe('at last');
});

verifies('servers.resumed', async (wire) => {
  wire.answers['tools/call'] = () => ({ result: content('at last'), after: 'event-1' });
  expect(textOf(await wire.upstream.call('act', {}, CALL))).toBe('at last');
  expect(wire.of('tools/call').length).toBe(1);
  const later = wire.received.find(({ headers }) => headers['last-event-id'] !== undefined);
  expect(later).toMatchObject({
    verb: 'GET',
    headers: { accept: 'text/event-stream', 'last-event-id': 'event-1', 'mcp-session-id': 'session-1' },
  });
});

verifies('servers.resumed.never', async (wire) => {
  wire.answers['tools/call'] = () => ({ result: content('never fetched'), after: 'event-1' });
  expect(await wire.upstream.call('act', {}, CALL)).toMatchObject({ kind: 'failed', reason: 'upstream-lost' });
  expect(wire.received.filter(({ verb }) => verb === 'GET')).toEqual([]);
});

const ERROR = { code: -32050, message: 'no such thing', data: { which: [7] } };

verifies('servers.calls.error', async (wire) => {
  wire.answers['tools/call'] = () => ({ error: ERROR });
  expect(await wire.upstream.call('act', {}, CALL)).toMatchObject({
    kind: 'failed',
    reason: 'upstream-error',
    error: ERROR,
    inDoubt: false,
  });
});

verifies('servers.calls.error-404', async (wire) => {
  for (const status of [404, 400]) {
    wire.answers['tools/call'] = () => ({ error: ERROR, status });
    expect(await wire.upstream.call('act', {}, CALL)).toMatchObject({ reason: 'upstream-error', error: ERROR });
  }
});

verifies('servers.calls.ids', async (wire) => {
  const waiting: (() => void)[] = [];
  wire.answers['tools/call'] = ({ params }: Asked) =>
    new Promise((resolve) => {
      const { n } = Object(params.arguments);
      waiting.push(() => resolve({ result: content(`n ${String(n)}`) }));
    });
  const calls = [1, 2, 3].map((n) => wire.upstream.call('act', { n }, CALL));
  await wire.until(() => waiting.length === 3);
  for (const answer of waiting.reverse()) answer();
  expect((await Promise.all(calls)).map(textOf)).toEqual(['n 1', 'n 2', 'n 3']);
  const ids = wire.received.flatMap(({ message }) => (message.id === undefined ? [] : [message.id]));
  const ofSession = wire.era === 'legacy' ? ids.slice(1) : ids;
  expect(new Set(ofSession).size).toBe(ofSession.length);
});

verifies('servers.calls.foreign-answer', async (wire) => {
  wire.answers['tools/call'] = ({ say }) => {
    say({ jsonrpc: '2.0', id: 987_654, result: content('not yours') });
    return 'nothing';
  };
  expect(await wire.upstream.call('act', {}, CALL)).toMatchObject({ kind: 'failed', reason: 'upstream-protocol' });
});

verifies('servers.result-type.absent', async (wire) => {
  wire.answers['tools/call'] = () => ({ result: content('whole') });
  expect(textOf(await wire.upstream.call('act', {}, CALL))).toBe('whole');
});

verifies('servers.result-type.unknown', async (wire) => {
  wire.answers['tools/call'] = () => ({ result: { resultType: 'task', taskId: 'a', ...content('not yet') } });
  expect(await wire.upstream.call('act', {}, CALL)).toMatchObject({ kind: 'failed', reason: 'upstream-protocol' });
});

/** What the broker answered to a question of the server. */
function answerTo({ received }: ServerWire, id: string): JsonObject | undefined {
  return received.find(({ message }) => message.id === id && message.method === undefined)?.message;
}

verifies('servers.questions.ping', async (wire) => {
  wire.answers['tools/call'] = async ({ say }) => {
    say({ jsonrpc: '2.0', id: 'q', method: 'ping' });
    await wire.until(() => answerTo(wire, 'q') !== undefined);
    return { result: content('done') };
  };
  await wire.upstream.call('act', {}, CALL);
  expect(answerTo(wire, 'q')).toEqual({ jsonrpc: '2.0', id: 'q', result: {} });
});

verifies('servers.questions.unknown', async (wire) => {
  wire.answers['tools/call'] = async ({ say }) => {
    say({ jsonrpc: '2.0', id: 'q', method: 'unknown/method' });
    await wire.until(() => answerTo(wire, 'q') !== undefined);
    return { result: content('done') };
  };
  await wire.upstream.call('act', {}, CALL);
  expect(answerTo(wire, 'q')).toMatchObject({ id: 'q', error: { code: -32601 } });
});

/** Calls, and cancels when the call has arrived. @returns the message of the call. */
async function callAndCancel(wire: ServerWire): Promise<JsonObject> {
  wire.answers['tools/call'] = () => 'nothing';
  const cancelling = new AbortController();
  const called = wire.upstream.call('act', {}, { ...CALL, signal: cancelling.signal });
  await wire.until(() => wire.of('tools/call').length === 1);
  cancelling.abort();
  expect(await called).toMatchObject({ kind: 'failed', reason: 'cancelled', inDoubt: true });
  return wire.of('tools/call')[0]?.message ?? {};
}

async function expectCancelled(wire: ServerWire, id: unknown): Promise<void> {
  await wire.until(() => wire.of('notifications/cancelled').length === 1);
  expect(wire.of('notifications/cancelled')[0]?.message).toMatchObject({ params: { requestId: id } });
}

verifies('servers.cancel.notification', async (wire) => {
  await expectCancelled(wire, (await callAndCancel(wire)).id);
});

verifies('servers.cancel.pipes', async (wire) => {
  await expectCancelled(wire, (await callAndCancel(wire)).id);
});

verifies('servers.cancel.closed-stream', async (wire) => {
  await callAndCancel(wire);
  await wire.until(() => wire.abandoned() === 1);
  wire.answers['tools/call'] = () => ({ result: content('goes on') });
  expect(textOf(await wire.upstream.call('act', {}, CALL))).toBe('goes on');
  expect(wire.of('notifications/cancelled')).toEqual([]);
});

verifies('servers.cancel.late', async (wire) => {
  let answer = (): void => {};
  wire.answers['tools/call'] = () =>
    new Promise((resolve) => {
      answer = () => resolve({ result: content('too late') });
    });
  const cancelling = new AbortController();
  const called = wire.upstream.call('act', {}, { ...CALL, signal: cancelling.signal });
  await wire.until(() => wire.of('tools/call').length === 1);
  cancelling.abort();
  expect(await called).toMatchObject({ reason: 'cancelled' });
  answer();
  wire.answers['tools/call'] = () => ({ result: content('the second') });
  expect(textOf(await wire.upstream.call('act', {}, CALL))).toBe('the second');
});

verifies('servers.deadline', async (wire) => {
  wire.answers['tools/call'] = () => 'nothing';
  const outcome = await wire.upstream.call('act', {}, { ...CALL, timeoutMs: 200 });
  expect(outcome).toMatchObject({ kind: 'failed', reason: 'upstream-timeout', inDoubt: true });
  await expectCancelled(wire, wire.of('tools/call')[0]?.message.id);
});
