import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect } from 'vitest';
import { send } from '../../../fixtures/clients/raw-http.ts';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { governedHome, processServer, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../../fixtures/homes/home.ts';

let home: Home;

afterEach(() => home.close());

/** Every method that MCP has in any revision, and those by which other gateways were made to start programs. */
const METHODS = [
  ...['initialize', 'ping', 'server/discover', 'tools/list', 'tools/call', 'resources/list', 'resources/read'],
  ...['resources/templates/list', 'resources/subscribe', 'prompts/list', 'prompts/get', 'completion/complete'],
  ...['logging/setLevel', 'roots/list', 'sampling/createMessage', 'elicitation/create', 'tasks/list', 'tasks/get'],
  ...['tasks/cancel', 'tasks/result', 'tasks/update', 'subscriptions/listen', 'notifications/initialized'],
  ...['notifications/roots/list_changed', 'registry/add', 'servers/register', 'server/create', 'test/connection'],
  ...['admin/keys.create', 'keys.create', 'registry.pin', 'registry.add', 'server.start', 'config/set'],
];
const PATHS = [
  ...['/mcp-rest/test/connection', '/mcp-rest/test/tools/list', '/api/mcp/client', '/api/servers', '/servers'],
  ...['/admin', '/admin/servers', '/v1/servers', '/registry', '/sse', '/stdio', '/message', '/config', '/keys'],
];

/** What would start a program, were it read. */
function stdioServer(marker: string): object {
  const program = { command: 'touch', args: [marker], env: { PATH: '/usr/bin:/bin' }, cwd: '/' };
  return {
    ...program,
    ...{ name: 'evil', type: 'stdio', server: program, servers: [program], config: program, params: program },
    ...{
      transport: { type: 'stdio', ...program },
      mcpServers: { evil: program },
      arguments: program,
      uri: `file://${marker}`,
    },
  };
}

/** Every process below one, by what it runs. */
function processesBelow(pid: number): readonly string[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return children.flatMap((child) => [
    readFileSync(`/proc/${child}/cmdline`, 'utf8').replaceAll('\0', ' ').trim(),
    ...processesBelow(Number(child)),
  ]);
}

async function openHome(): Promise<{ served: Served; marker: string; before: readonly string[] }> {
  home = governedHome({ servers: { tools: processServer('tools') } });
  const served = await home.serve();
  const before = processesBelow(served.child.pid ?? 0);
  expect(before).toHaveLength(1);
  return { served, marker: home.path('started'), before };
}

function expectNothingStarted({ served, marker, before }: Awaited<ReturnType<typeof openHome>>): void {
  expect(existsSync(marker)).toBe(false);
  expect(processesBelow(served.child.pid ?? 0)).toEqual(before);
}

verifies('T5')('no message of MCP brings a program with it, by any method of any revision', async () => {
  const opened = await openHome();
  const agent = new WireAgent(opened.served.url, await home.key('demo'));
  const evil = stdioServer(opened.marker);
  for (const method of METHODS) {
    // A call takes a name of the registry; what else it says is for the tool.
    const name = method === 'tools/call' ? 'evil__touch' : undefined;
    const params = name === undefined ? evil : { ...evil, name };
    if (method !== 'subscriptions/listen') await agent.ask(method, params, name === undefined ? {} : { name });
    await agent.post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: evil }));
  }
  expect(await agent.tools()).not.toContain('evil__touch');
  agent.close();
  expectNothingStarted(opened);
});

verifies('T5')('no route over HTTP takes a server, with a key or without', async () => {
  const opened = await openHome();
  const key = await home.key('demo');
  const port = Number(new URL(opened.served.url).port);
  const body = JSON.stringify(stdioServer(opened.marker));
  for (const path of PATHS) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      for (const authorization of [`Bearer ${key}`, '']) {
        const { status } = await send(port, { method, path, body, headers: { authorization } });
        expect([path, status]).toEqual([path, 404]);
      }
    }
  }
  expectNothingStarted(opened);
});

/** One request of the command line, as it goes over the socket. */
async function asksDaemon(method: string, params: object): Promise<string> {
  const socket = connect(home.path('data/broker.sock'));
  socket.write(`${JSON.stringify({ seneschal: 1, admin: { method, params } })}\n`);
  return text(socket);
}

verifies('T5')('no administrative request takes a server, not even from the owner of the socket', async () => {
  const opened = await openHome();
  const source = readFileSync(new URL('../../../../src/app/admin/admin-api.ts', import.meta.url), 'utf8');
  const methods = [...source.matchAll(/^ {4}'([a-z]+\.[a-z]+)': /gm)].map(([, method]) => method ?? '');
  expect(methods.sort()).toEqual([
    ...['broker.report', 'keys.create', 'keys.list', 'keys.revoke', 'limits.status'],
    ...['registry.diff', 'registry.pin', 'registry.status'],
  ]);
  const evil = stdioServer(opened.marker);
  for (const method of [...methods, ...METHODS]) {
    const reply = await asksDaemon(method, evil);
    // Read-only methods take no parameters and ignore any.
    if (!['broker.report', 'keys.list', 'registry.status'].includes(method))
      expect([method, reply]).toEqual([method, expect.stringContaining('"ok":false')]);
  }
  expect(await asksDaemon('registry.pin', { server: 'evil', ...{ command: 'touch' } })).toContain('"ok":false');
  const agreed = `sha256:${'0'.repeat(64)}`;
  expect(await asksDaemon('registry.pin', { server: 'evil', agreed })).toContain('"registry-unknown-server"');
  expect(await asksDaemon('registry.pin', { server: 'tools', agreed })).toContain('"registry-tools-changed"');
  expect(await asksDaemon('registry.status', {})).not.toContain('evil');
  expectNothingStarted(opened);
});
