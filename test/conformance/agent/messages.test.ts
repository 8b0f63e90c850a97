import { expect } from 'vitest';
import { verifies } from '../requirements/verifies.ts';
import type { AgentWire } from '../wires/agent-wire.ts';

const statusOf = (wire: AgentWire, status: number): number | undefined =>
  wire.transport === 'http' ? status : undefined;

verifies('agents.ids.echoed', async (wire) => {
  for (const id of ['7', 7, 0, -1, 'ä', Number.MAX_SAFE_INTEGER]) {
    expect((await wire.request('tools/list', {}, { id })).message).toMatchObject({ jsonrpc: '2.0', id });
  }
});

verifies('agents.ids.under-way', async (wire) => {
  let go = (): void => {};
  wire.broker.behaviour = () =>
    new Promise((resolve) => {
      go = () => resolve({ callId: 'c', outcome: { kind: 'completed', result: { content: [] }, resultBytes: 1 } });
    });
  const first = wire.startRequest('tools/call', { name: 'files__echo' }, { id: 1 });
  await expect.poll(() => wire.broker.calls.length).toBe(1);
  // Its own reply is the one that comes first: the refusal of the second.
  const refusal = wire.startRequest('tools/call', { name: 'files__echo' }, { id: 1 });
  expect((await refusal.received).message).toMatchObject({ id: 1, error: { code: -32600 } });
  expect(wire.broker.calls.length).toBe(1);
  go();
  void first;
});

verifies('agents.ids.of-errors', async (wire) => {
  const refused = await Promise.all([
    wire.request('tools/call', {}, { id: 'no name' }),
    wire.request('unknown/method', {}, { id: 'no method' }),
    wire.request('tools/list', { cursor: 'x' }, { id: 'no cursor' }),
  ]);
  expect(refused.map(({ message }) => [message.id, typeof message.error])).toEqual([
    ['no name', 'object'],
    ['no method', 'object'],
    ['no cursor', 'object'],
  ]);
});

verifies('agents.rpc.parse-error', async (wire) => {
  const { status, message } = await wire.raw('{"jsonrpc":"2.0","id":1,');
  expect(message).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32700 } });
  expect(status).toBe(statusOf(wire, 400));
});

verifies('agents.rpc.batches', async (wire) => {
  const { status, message } = await wire.raw('[{"jsonrpc":"2.0","id":1,"method":"ping"}]');
  expect(message).toMatchObject({ id: null, error: { code: -32600 } });
  expect(status).toBe(statusOf(wire, 400));
});

for (const text of ['{"id":1,"method":"ping"}', '{"jsonrpc":"1.0","id":1,"method":"ping"}', '7', 'null']) {
  verifies(
    'agents.rpc.version',
    async (wire) => {
      const { status, message } = await wire.raw(text);
      expect(message).toMatchObject({ error: { code: -32600 } });
      expect(status).toBe(statusOf(wire, 400));
    },
    text,
  );
}

verifies('agents.notifications.unknown', async (wire) => {
  expect(await wire.notify('notifications/unknown')).toBe(statusOf(wire, 202));
  expect((await wire.request('tools/list')).before).toEqual([]);
});

verifies('agents.http.session-minted', async (wire) => {
  expect(await wire.session()).toMatch(/^[\x21-\x7e]{16,}$/);
});

verifies('agents.http.session-required', async (wire) => {
  const { status, message } = await wire.request('tools/list', {}, { id: 1, headers: { 'mcp-session-id': undefined } });
  expect([status, message.id]).toEqual([400, 1]);
});

verifies('agents.http.session-unknown', async (wire) => {
  const { status, message } = await wire.request('tools/list', {}, { id: 1, headers: { 'mcp-session-id': 'x' } });
  expect([status, message.id]).toEqual([404, 1]);
});

verifies('agents.http.session-ended', async (wire) => {
  const headers = { 'mcp-session-id': await wire.session() };
  expect((await wire.send({ method: 'DELETE', headers })).status).toBe(204);
  expect((await wire.request('tools/list', {}, { headers })).status).toBe(404);
  expect((await wire.send({ method: 'DELETE', headers })).status).toBe(404);
  expect((await wire.send({ method: 'GET', headers })).status).toBe(404);
});

verifies('agents.http.session-owner', async (wire) => {
  const headers = { 'mcp-session-id': await wire.session(), authorization: 'Bearer key-of-other' };
  const foreign = await wire.request('tools/list', {}, { id: 1, headers });
  const unknown = await wire.request('tools/list', {}, { id: 1, headers: { ...headers, 'mcp-session-id': 'x' } });
  expect([foreign.status, foreign.message]).toEqual([unknown.status, unknown.message]);
  expect(foreign.status).toBe(404);
});

verifies('agents.http.session-ignored', async (wire) => {
  const answer = await wire.request('tools/list', {}, { headers: { 'mcp-session-id': 'x' } });
  expect(answer.status).toBe(200);
  expect(answer.headers['mcp-session-id']).toBeUndefined();
});

verifies('agents.http.post-alone', async (wire) => {
  for (const method of ['GET', 'DELETE', 'PUT']) {
    const { status, headers } = await wire.send({ method, headers: { 'mcp-protocol-version': '2026-07-28' } });
    expect([method, status, headers.allow]).toEqual([method, 405, 'POST']);
  }
});

verifies('agents.http.get-stream', async (wire) => {
  const notices = await wire.listen();
  wire.broker.changeListOf('agent:demo');
  expect(await notices.next()).toEqual({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
});

verifies('agents.http.accepted', async (wire) => {
  expect(await wire.notify('notifications/initialized')).toBe(202);
});

verifies('agents.http.content-type', async (wire) => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', undefined]) {
    expect((await wire.request('tools/list', {}, { headers: { 'content-type': type } })).status).toBe(415);
  }
  const charset = { 'content-type': 'application/json; charset=utf-8' };
  expect((await wire.request('tools/list', {}, { headers: charset })).status).toBe(200);
});

verifies('agents.http.origin', async (wire) => {
  expect((await wire.request('tools/list', {}, { headers: { origin: 'http://evil.example' } })).status).toBe(403);
  const own = `http://127.0.0.1:${wire.port}`;
  expect((await wire.request('tools/list', {}, { headers: { origin: own } })).status).toBe(200);
});

verifies('agents.http.host', async (wire) => {
  expect((await wire.request('tools/list', {}, { headers: { host: 'evil.example' } })).status).toBe(403);
});

verifies('agents.http.unauthorized', async (wire) => {
  for (const authorization of [undefined, 'Bearer wrong', 'Basic ZGVtbzo=']) {
    const answer = await wire.request('tools/list', {}, { headers: { authorization } });
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer realm="seneschal"']);
  }
  expect(wire.broker.calls).toEqual([]);
});

verifies('agents.cancel.notification', async (wire) => {
  const aborted: unknown[] = [];
  wire.broker.behaviour = ({ args }, signal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        aborted.push(args.call);
        resolve({ callId: 'c', outcome: { kind: 'completed', result: { content: [] }, resultBytes: 1 } });
      });
    });
  wire.startRequest('tools/call', { name: 'files__echo', arguments: { call: 'stays' } }, { id: 'stays' });
  wire.startRequest('tools/call', { name: 'files__echo', arguments: { call: 'goes' } }, { id: 'goes' });
  await expect.poll(() => wire.broker.calls.length).toBe(2);
  await wire.notify('notifications/cancelled', { requestId: 'goes' });
  await expect.poll(() => aborted).toEqual(['goes']);
});

verifies('agents.cancel.pipes', async (wire) => {
  wire.broker.behaviour = (_request, signal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        resolve({ callId: 'c', outcome: { kind: 'completed', result: { content: [] }, resultBytes: 1 } });
      });
    });
  let hasAnswer = false;
  void wire.startRequest('tools/call', { name: 'files__echo' }, { id: 'gone' }).received.then(() => {
    hasAnswer = true;
  });
  await expect.poll(() => wire.broker.calls.length).toBe(1);
  await wire.notify('notifications/cancelled', { requestId: 'gone' });
  // Lines keep their order: what was asked later is answered later.
  await wire.request('tools/list');
  expect(hasAnswer).toBe(false);
});

verifies('agents.cancel.closed-stream', async (wire) => {
  const aborted = new Promise<void>((resolve) => {
    wire.broker.behaviour = (_request, signal) =>
      new Promise(() => {
        signal.addEventListener('abort', () => resolve());
      });
  });
  const { disconnect: hangUp } = wire.startRequest('tools/call', { name: 'files__echo' });
  await expect.poll(() => wire.broker.calls.length).toBe(1);
  hangUp();
  await aborted;
});

verifies('agents.cancel.unknown', async (wire) => {
  expect(await wire.notify('notifications/cancelled', { requestId: 'never asked' })).toBe(statusOf(wire, 202));
  expect(await wire.notify('notifications/cancelled', { requestId: { of: 'no form' } })).toBe(statusOf(wire, 202));
  expect((await wire.request('tools/list')).message).toHaveProperty('result');
});
