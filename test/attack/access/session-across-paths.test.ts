import { afterEach, beforeEach, expect, test } from 'vitest';
import { openListChangeFeed } from '../../../src/ingress/mcp/client/list-changed.ts';
import { modernCall, openSession, type RawAnswer, send } from '../../fixtures/clients/raw-http.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { type HttpHarness, openHarness } from '../../fixtures/http-harness.ts';

const PATHS = ['/mcp', '/servers/files/mcp', '/v/desk/mcp'] as const;
const CALL = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo' } });
let harness: HttpHarness;

beforeEach(async () => {
  harness = await openHarness();
  harness.broker.views = { 'server:files': [{ name: 'echo' }], 'virtual:desk': [{ name: 'echo' }] };
});
afterEach(() => harness.ingress.close({ drainMs: 0 }));

function ask(path: string, headers: Record<string, string> = {}, method = 'POST'): Promise<RawAnswer> {
  return send(harness.ingress.port, { method, path, headers, ...(method === 'POST' ? { body: CALL } : {}) });
}

verifies('P7').each(PATHS)('a session that was opened on %s does not exist on any other path', async (opened) => {
  const session = await openSession(harness.ingress.port, 'demo', opened);
  for (const path of PATHS.filter((other) => other !== opened)) {
    for (const method of ['POST', 'GET', 'DELETE']) {
      const foreign = await ask(path, session, method);
      const unknown = await ask(path, { ...session, 'mcp-session-id': 'x'.repeat(32) }, method);
      expect([foreign.status, foreign.body]).toEqual([404, unknown.body]);
      expect({ ...foreign.headers, date: '' }).toEqual({ ...unknown.headers, date: '' });
    }
  }
  expect(harness.broker.calls).toEqual([]);
  expect((await ask(opened, session)).status).toBe(200);
});

test.each(PATHS)('a call has the view of its path: %s', async (path) => {
  const { headers, body } = modernCall('echo');
  expect((await send(harness.ingress.port, { path, headers, body })).status).toBe(200);
  const view = { '/mcp': undefined, '/servers/files/mcp': 'server:files', '/v/desk/mcp': 'virtual:desk' }[path];
  expect(harness.broker.calls.map((call) => call.view)).toEqual([view]);
});

test.each([...PATHS, '/v/nowhere/mcp'])(
  'another host or origin is refused on %s before anything else',
  async (path) => {
    for (const headers of [{ origin: 'http://evil.test' }, { host: 'evil.test' }]) {
      expect((await ask(path, { ...headers, authorization: '' })).status).toBe(403);
    }
  },
);

test('without a key a client does not learn which views exist', async () => {
  const answers = await Promise.all(
    [...PATHS, '/v/nowhere/mcp', '/servers/nowhere/mcp'].map((path) => ask(path, { authorization: 'Bearer wrong' })),
  );
  const [first] = answers;
  for (const { status, headers, body } of answers) {
    expect([status, body]).toEqual([401, first?.body]);
    expect({ ...headers, date: '' }).toEqual({ ...first?.headers, date: '' });
  }
});

test.each([
  '/v/nowhere/mcp',
  '/servers/desk/mcp',
  '/v/files/mcp',
  '/v/desk/mcp/',
  '/v//mcp',
  '/v/DESK/mcp',
  '/v/%64esk/mcp',
  '/v/desk/../files/mcp',
  '/servers/constructor/mcp',
])('%s gets the response of a path that does not exist', async (path) => {
  const unknown = await ask('/nothing');
  const answer = await ask(path);
  expect([answer.status, answer.body]).toEqual([404, unknown.body]);
  expect({ ...answer.headers, date: '' }).toEqual({ ...unknown.headers, date: '' });
  expect(harness.broker.calls).toEqual([]);
});

test('a removed view is gone for a session that was opened on it', async () => {
  const session = await openSession(harness.ingress.port, 'demo', '/v/desk/mcp');
  harness.broker.views = {};
  expect((await ask('/v/desk/mcp', session)).body).toBe((await ask('/nothing')).body);
});

test('a stream of one view receives no changes of another', async () => {
  const received: string[] = [];
  const changes = openListChangeFeed(harness.broker);
  changes.watch({ principalId: 'agent:demo' }, () => received.push('whole'));
  changes.watch({ principalId: 'agent:demo', view: 'virtual:desk' }, () => received.push('desk'));
  changes.watch({ principalId: 'agent:other', view: 'virtual:desk' }, () => received.push('other'));
  harness.broker.changeListOf('agent:demo', 'tool', 'virtual:desk');
  expect(received).toEqual(['desk']);
  harness.broker.changeListOf('agent:demo');
  expect(received).toEqual(['desk', 'whole']);
});
