import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connectAgent } from '../../../src/ingress/socket/connect.ts';
import { findDataDirectoryHolder } from '../../../src/storage/data-directory.ts';
import { lineClient } from '../../fixtures/clients/line-client.ts';
import { type AgentClient, connectClient } from '../../fixtures/clients/mcp-clients.ts';
import { modernMessage } from '../../fixtures/clients/raw-http.ts';
import { endHolder, openShim, SocketDaemon, stdioEntry } from '../../fixtures/clients/stdio-shim.ts';
import { governedHome } from '../../fixtures/homes/governed-home.ts';
import type { Home } from '../../fixtures/homes/home.ts';

let home: Home;
let data: string;
const open: AgentClient[] = [];

beforeEach(() => {
  home = governedHome();
  data = home.path('data');
});

afterEach(async () => {
  for (const client of open.splice(0)) await client.close();
  await endHolder(findDataDirectoryHolder(data)?.pid);
  await home.close();
});

async function connect(agent = 'demo'): Promise<AgentClient> {
  const client = await connectClient('v2-modern', stdioEntry(home, agent, data));
  open.push(client);
  return client;
}

function startsIn(log: string): number {
  return log.split('"broker.started"').length - 1;
}

async function broughtUp(): Promise<number> {
  const { stdout } = await home.run(['ledger', 'list', '--data', data, '--kind', 'broker.started', '--output', 'json']);
  return startsIn(stdout);
}

test('the shim starts the broker where none runs, and the broker outlives it', async () => {
  const client = await connect();
  expect((await client.call('tools__echo', { nonce: 'n1' })).structuredContent).toEqual({ nonce: 'n1' });
  await client.close();
  expect(findDataDirectoryHolder(data)).toEqual({ pid: expect.any(Number) });
  const again = await connect();
  expect((await again.call('tools__echo', { nonce: 'n2' })).structuredContent).toEqual({ nonce: 'n2' });
  expect(await broughtUp()).toBe(1);
});

test('shims that start at once share one broker, one budget and one ledger', async () => {
  home.write({
    'policies/limits.yaml':
      'budgets:\n  - { subject: "agent:demo", resource: "tool:*", window: day, hard: { calls: 3 } }\n',
  });
  const clients = await Promise.all([connect(), connect(), connect()]);
  const answers = await Promise.all(
    clients.flatMap((client, at) => [0, 1].map((turn) => client.call('tools__echo', { nonce: `${at}${turn}` }))),
  );
  expect(answers.filter(({ isError }) => isError !== true)).toHaveLength(3);
  expect(await broughtUp()).toBe(1);
});

test('a broken policy ends the shim at once with the problem, its place and what to do', async () => {
  home.write({ 'policies/policy.csv': 'p, agent:demo, tool:*, call, , allow\np, agent:demo, tool:*, call, , denny\n' });
  const { code, stderr, stdout } = await home.run(['stdio', '--agent', 'demo']);
  expect(stderr).toMatch(/policies\/policy\.csv:2:\d+: unknown effect `denny` {2}\(policy-unknown-effect\)\n\s*hint: /);
  expect([code, stdout]).toEqual([2, '']);
});

test('an agent that no file declares ends the shim with the problem', async () => {
  const daemon = new SocketDaemon(home, { idleExit: '1m' });
  await vi.waitFor(() => expect(existsSync(home.path('data/broker.sock'))).toBe(true), 20_000);
  const { code, stderr } = await home.run(['stdio', '--agent', 'unknown']);
  expect(stderr).toContain('no agent `unknown` is declared');
  expect(code).toBe(2);
  expect(daemon.hasEnded).toBe(false);
});

test('a broker for agents alone stays while one is there and ends itself after the last', async () => {
  const daemon = new SocketDaemon(home, { idleExit: '2s' });
  const connectNow = (): Promise<Socket> => connectAgent(home.path('data/broker.sock'), 'demo');
  const first = await vi.waitFor(connectNow, 20_000);
  const other = await connectNow();
  other.end();
  const client = lineClient(first);
  // A call that takes longer than the idle time, in a stream that was open all the while.
  client.say(modernMessage('tools/call', { name: 'tools__slow', arguments: { nonce: 'n', ms: 3_000 } }));
  expect(await client.next()).toMatchObject({ id: 1, result: { content: [{ type: 'text', text: 'n' }] } });
  client.say(modernMessage('tools/call', { name: 'tools__echo', arguments: { nonce: 'still there' } }, 2));
  expect(await client.next()).toMatchObject({ id: 2, result: { structuredContent: { nonce: 'still there' } } });
  first.end();
  expect(await daemon.ended()).toBe(0);
  expect(findDataDirectoryHolder(data)).toBeUndefined();
});

test('a broker that is stopped ends although an agent is connected, and its shim ends with it', async () => {
  const daemon = new SocketDaemon(home, { idleExit: '1m' });
  await vi.waitFor(() => expect(existsSync(home.path('data/broker.sock'))).toBe(true), 20_000);
  const shim = openShim(home, 'demo');
  await shim.connected();
  daemon.signal('SIGTERM');
  expect(await daemon.ended()).toBe(0);
  expect(await shim.ended()).toEqual({
    code: 1,
    stderr: expect.stringMatching(
      /^seneschal stdio: the broker closed the connection {2}\(daemon-connection-lost\)\nhint: start the agent again/,
    ),
  });
});

test('an agent that has said all it has to say ends the shim as a success', async () => {
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const { code, stdout, stderr } = await home.run(['stdio', '--agent', 'demo'], { input: `${JSON.stringify(ping)}\n` });
  expect([code, stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout)).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
});

test('a data directory with a long path has its socket elsewhere, for its owner alone', async () => {
  data = home.path(`${'deep/'.repeat(30)}data`);
  expect((await (await connect()).call('tools__echo', { nonce: 'far' })).structuredContent).toEqual({ nonce: 'far' });
  expect(existsSync(`${data}/broker.sock`)).toBe(false);
  const directory = `/tmp/seneschal-${process.getuid?.()}`;
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  const { code, stdout } = await home.run(['keys', 'list', '--data', data, '--output', 'json']);
  expect([code, JSON.parse(stdout)]).toEqual([0, []]);
  expect(await broughtUp()).toBe(1);
});

test('what the broker in the background says is in its log, for its owner alone', async () => {
  mkdirSync(data, { recursive: true });
  await (await connect()).call('tools__echo', { nonce: 'n' });
  await vi.waitFor(
    () => expect(readFileSync(`${data}/broker.log`, 'utf8')).toContain('"event":"call.completed"'),
    20_000,
  );
  expect(statSync(`${data}/broker.log`).mode & 0o777).toBe(0o600);
  expect(statSync(data).mode & 0o777).toBe(0o700);
});
