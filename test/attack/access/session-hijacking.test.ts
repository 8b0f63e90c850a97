import { afterEach, beforeEach, expect } from 'vitest';
import { openSession, send } from '../../fixtures/clients/raw-http.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { completed, type HttpHarness, openHarness } from '../../fixtures/http-harness.ts';

let harness: HttpHarness;

beforeEach(async () => {
  harness = await openHarness();
});

afterEach(() => harness.ingress.close({ drainMs: 0 }));

const AS_OTHER = { authorization: 'Bearer key-of-other' };
const CALL = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'files__echo' } });

verifies('P7')('a session of another principal gets the response of one that does not exist', async () => {
  const session = await openSession(harness.ingress.port, 'demo');
  for (const method of ['POST', 'GET', 'DELETE']) {
    const foreign = await send(harness.ingress.port, { method, headers: { ...session, ...AS_OTHER }, body: CALL });
    const unknown = await send(harness.ingress.port, {
      method,
      headers: { ...AS_OTHER, 'mcp-session-id': 'x'.repeat(32) },
      body: CALL,
    });
    expect([foreign.status, foreign.body]).toEqual([404, unknown.body]);
    expect({ ...foreign.headers, date: '' }).toEqual({ ...unknown.headers, date: '' });
  }
  expect(harness.broker.calls).toEqual([]);
});

verifies('P7')('a request for the session of another principal is recorded', async () => {
  const session = await openSession(harness.ingress.port, 'demo');
  await send(harness.ingress.port, { headers: { ...session, ...AS_OTHER }, body: CALL });
  expect(harness.broker.malformed.map(({ principal, problem }) => `${principal.id} ${problem}`)).toEqual([
    'agent:other the principal has no session with this id',
  ]);
});

verifies('P7')('a session goes on after another principal tried to end it', async () => {
  const session = await openSession(harness.ingress.port, 'demo');
  await send(harness.ingress.port, { method: 'DELETE', headers: { ...session, ...AS_OTHER } });
  expect((await send(harness.ingress.port, { headers: session, body: CALL })).status).toBe(200);
});

verifies('P7')('a session id alone does not authenticate', async () => {
  const session = await openSession(harness.ingress.port, 'demo');
  const answer = await send(harness.ingress.port, { headers: { ...session, authorization: '' }, body: CALL });
  expect(answer.status).toBe(401);
});

verifies('P7')('one session cannot cancel a call of another, whatever ids they use', async () => {
  let cancelled = false;
  let finish: () => void = () => {};
  harness.broker.behaviour = (_request, signal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        cancelled = true;
      });
      finish = () => resolve(completed({ content: [] }));
    });
  const mine = await openSession(harness.ingress.port, 'demo');
  const call = send(harness.ingress.port, { headers: mine, body: CALL });
  await expect.poll(() => harness.broker.calls.length).toBe(1);
  for (const agent of ['other', 'demo']) {
    const session = await openSession(harness.ingress.port, agent);
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } };
    expect((await send(harness.ingress.port, { headers: session, body: JSON.stringify(cancel) })).status).toBe(202);
  }
  finish();
  expect((await call).status).toBe(200);
  expect(cancelled).toBe(false);
});

verifies('P7')('the id of a request in flight cannot be used again in its session', async () => {
  let finish: () => void = () => {};
  harness.broker.behaviour = () =>
    new Promise((resolve) => {
      finish = () => resolve(completed({ content: [] }));
    });
  const session = await openSession(harness.ingress.port);
  const first = send(harness.ingress.port, { headers: session, body: CALL });
  await expect.poll(() => harness.broker.calls.length).toBe(1);
  const second = await send(harness.ingress.port, { headers: session, body: CALL });
  expect([second.status, JSON.parse(second.body).error.code]).toEqual([400, -32600]);
  finish();
  expect((await first).status).toBe(200);
  expect(harness.broker.calls).toHaveLength(1);
});

verifies('P7')('an ended session is gone', async () => {
  const session = await openSession(harness.ingress.port);
  expect((await send(harness.ingress.port, { method: 'DELETE', headers: session })).status).toBe(204);
  expect((await send(harness.ingress.port, { headers: session, body: CALL })).status).toBe(404);
});

verifies('P7')('the record of a call identifies its session by an id that is not its session id', async () => {
  const session = await openSession(harness.ingress.port);
  await send(harness.ingress.port, { headers: session, body: CALL });
  expect(harness.broker.calls[0]?.context.session).toMatch(/^[0-9a-f-]{36}$/);
  expect(harness.broker.calls[0]?.context.session).not.toBe(session['mcp-session-id']);
});
