import { resolve } from 'node:path';
import { afterEach, expect } from 'vitest';
import { modernCall, send } from '../../../fixtures/clients/raw-http.ts';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { governedHome, httpServer, ledgerOf, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import { Home } from '../../../fixtures/homes/home.ts';
import { legacyHandler, sendJson, serveHttp, textResponse } from '../../../fixtures/http-upstream.ts';

const PROJECT = resolve(import.meta.dirname, '../../../..');
const CANARY = 'canary-3f9a';

/** Headers that a gateway, a proxy or the broker itself might trust as internal. */
const INTERNAL_HEADERS = [
  ...['x-seneschal-agent', 'x-seneschal-principal', 'x-seneschal-session', 'x-seneschal-admin', 'seneschal'],
  ...['x-agent', 'x-principal', 'x-user', 'x-remote-user', 'remote-user', 'x-authenticated-user', 'x-auth-user'],
  ...['x-forwarded-user', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'forwarded', 'x-real-ip'],
  ...['x-original-url', 'x-rewrite-url', 'x-http-method-override', 'router-key', 'x-internal', 'x-admin', 'cookie'],
  ...['proxy-authorization', 'x-tool', 'x-upstream', 'x-mcp-server', 'mcp-param-nonce', 'x-request-id', 'x-role'],
];

let home: Home;

afterEach(() => home.close());

verifies('O9')(
  'an internal header from outside authenticates no one, widens no grant and reaches no tool server',
  async () => {
    const upstream = await serveHttp(
      legacyHandler({
        read: ({ message }, response) => sendJson(response, textResponse(message.id, 'read')),
        delete: ({ message }, response) => sendJson(response, textResponse(message.id, 'deleted')),
      }),
    );
    home = governedHome({
      agents: { reader: '', admin: '' },
      servers: { far: httpServer('far', upstream.url) },
      policy: 'p, agent:reader, tool:far/read, call, , allow\np, agent:admin, tool:*, call, , allow\n',
    });
    const served = await home.serve();
    const port = Number(new URL(served.url).port);
    const key = await home.key('reader');
    for (const header of INTERNAL_HEADERS) {
      for (const value of ['agent:admin', `${CANARY}`]) {
        const noOne = await send(port, { ...modernCall('far__read'), headers: { authorization: '', [header]: value } });
        expect([header, noOne.status]).toEqual([header, 401]);
        const reader = new WireAgent(served.url, key, { [header]: value });
        expect(await reader.tools()).toEqual(['far__read']);
        expect((await reader.call('far__delete')).text).toBe('Unknown tool: far__delete');
        expect((await reader.call('far__read')).text).toBe('read');
        reader.close();
      }
    }
    expect(upstream.called()).toEqual(INTERNAL_HEADERS.flatMap(() => ['read', 'read']));
    expect(JSON.stringify(upstream.received)).not.toContain(CANARY);
    const calls = ledgerOf(home).filter(({ kind }) => kind.startsWith('call.'));
    expect(new Set(calls.map(({ entry }) => entry.principal))).toEqual(new Set(['agent:reader']));
    expect(JSON.stringify(calls)).not.toContain(CANARY);
  },
);

verifies('O9').each(['0.0.0.0', '::', '192.0.2.1', 'example.org'])(
  'the sample settings do not serve on %s, where others could reach them',
  async (host) => {
    home = new Home();
    const sample = ['--registry', resolve(PROJECT, 'registry'), '--policies', resolve(PROJECT, 'policies')];
    const { code, stderr } = await home.run(['serve', ...sample, '--host', host, '--port', '0']);
    expect(code).toBe(2);
    expect(stderr).toContain('reachable from other machines and no host name is allowed  (settings-invalid)');
  },
);

verifies('O9')('a fresh data directory holds no key, and no well-known secret opens it', async () => {
  home = governedHome();
  const served = await home.serve();
  const listed = await home.run(['keys', 'list', '--output', 'json']);
  expect(JSON.parse(listed.stdout)).toEqual([]);
  const guesses = ['demo', 'admin', 'secret-api-key', 'changeme', 'sen_demo_demo', `sen_${'0'.repeat(16)}_`, 'null'];
  for (const guess of guesses) {
    const agent = new WireAgent(served.url, guess);
    expect((await agent.ask('tools/list')).status).toBe(401);
    agent.close();
  }
});

verifies('P1')(
  'a page of another origin and a rebound name are refused by the daemon before anything is read',
  async () => {
    home = governedHome();
    const served = await home.serve();
    const port = Number(new URL(served.url).port);
    const authorization = `Bearer ${await home.key('demo')}`;
    const { headers, body } = modernCall('tools__echo', { nonce: 'a' });
    const statusWith = async (more: Record<string, string>, path = '/mcp', sent = body): Promise<number> =>
      (await send(port, { path, headers: { ...headers, authorization, ...more }, body: sent })).status;
    for (const path of ['/mcp', '/healthz', '/readyz', '/anything']) {
      expect(await statusWith({ origin: 'http://evil.test' }, path)).toBe(403);
      expect(await statusWith({ host: `evil.test:${port}` }, path)).toBe(403);
    }
    expect(await statusWith({ origin: 'http://evil.test' }, '/mcp', '{not json')).toBe(403);
    expect(await statusWith({})).toBe(200);
    expect(ledgerOf(home).filter(({ kind }) => kind === 'call.admitted' || kind === 'message.refused')).toHaveLength(1);
  },
);
