import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ProblemError } from '../../../src/domain/problem.ts';
import { connectAgent, sendAdminRequest } from '../../../src/ingress/socket/connect.ts';
import {
  openSocketServer,
  type SocketServer,
  type SocketServerOptions,
} from '../../../src/ingress/socket/socket-server.ts';
import { INITIALIZE, lineClient } from '../../fixtures/clients/line-client.ts';
import { modernMessage } from '../../fixtures/clients/raw-http.ts';
import { type FakeBroker, fakeBroker, principalNamed, TEST_PORTS } from '../../fixtures/http-harness.ts';

let directory: string;
let path: string;
let broker: FakeBroker;
let ingress: SocketServer | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'socket-'));
  path = join(directory, 'data', 'daemon.sock');
  broker = fakeBroker();
});

afterEach(async () => {
  await ingress?.close({ drainMs: 0 });
  ingress = undefined;
  rmSync(directory, { recursive: true });
});

async function open(options: Partial<SocketServerOptions> = {}): Promise<SocketServer> {
  ingress = await openSocketServer({
    ...TEST_PORTS,
    broker,
    path,
    principalOf: (name) => (name === 'demo' ? principalNamed(name) : undefined),
    admin: (method, params) => ({ method, params }),
    ...options,
  });
  return ingress;
}

async function problemsOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof ProblemError ? error.problems.map(({ code, at }) => [code, at]) : error;
}

async function answerTo(line: string): Promise<string> {
  const socket = connect(path);
  socket.write(line);
  return text(socket);
}

test('only the owner has access to the socket and its directory', async () => {
  await open();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(directory, 'data')).mode & 0o777).toBe(0o700);
});

test('an agent sends a handshake and then MCP', async () => {
  const { connections: streams } = await open();
  expect(streams).toBe(0);
  const client = lineClient(await connectAgent(path, 'demo'));
  client.say(INITIALIZE);
  expect(await client.next()).toMatchObject({ id: 'init', result: { protocolVersion: '2025-06-18' } });
  expect(ingress?.connections).toBe(1);
});

test('messages in one packet with the handshake are served', async () => {
  await open();
  const socket = connect(path);
  const client = lineClient(socket);
  socket.write(`{"seneschal":1,"agent":"demo"}\n${JSON.stringify(INITIALIZE)}\n`);
  expect(await client.next()).toEqual({ ok: true, result: { agent: 'demo' } });
  expect(await client.next()).toMatchObject({ id: 'init' });
});

test('an agent may name one server or one virtual server', async () => {
  await open();
  broker.views = { 'server:files': [{ name: 'read' }], 'virtual:desk': [{ name: 'say' }] };
  for (const [server, tool] of [
    ['files', 'read'],
    ['desk', 'say'],
  ] as const) {
    const client = lineClient(await connectAgent(path, 'demo', server));
    client.say(modernMessage('tools/list'));
    expect(await client.next()).toMatchObject({ result: { tools: [{ name: tool }] } });
  }
});

test('a server that the agent may not use is refused like one that does not exist', async () => {
  await open();
  const asked = ['files', 'no such "server"'].map((server) => problemsOf(connectAgent(path, 'demo', server)));
  expect(await Promise.all(asked)).toEqual([
    [['ingress-server-unknown', '--server']],
    [['ingress-server-unknown', '--server']],
  ]);
});

test.each([
  '{"seneschal":1,"agent":"demo","server":7}',
  '{"seneschal":1,"agent":"demo","server":null}',
  '{"seneschal":1,"server":"files"}',
  '{"seneschal":1,"server":"files","admin":{"method":"keys.list"}}',
])('a handshake with an invalid server is refused: %s', async (hello) => {
  await open();
  expect(JSON.parse(await answerTo(`${hello}\n`))).toMatchObject({
    ok: false,
    problems: [{ code: 'ingress-hello-invalid' }],
  });
});

test('an undeclared agent is refused with a hint', async () => {
  await open();
  expect(await problemsOf(connectAgent(path, 'undeclared'))).toEqual([['ingress-agent-unknown', '--agent']]);
});

test('an admin request is handled and gets a response', async () => {
  await open();
  expect(await sendAdminRequest(path, 'keys.create', { agent: 'demo' })).toEqual({
    method: 'keys.create',
    params: { agent: 'demo' },
  });
});

test('the problems of an admin request reach its sender', async () => {
  const problem = { code: 'settings-invalid', at: '--agent', message: 'no', hint: 'yes' } as const;
  await open({
    admin: () => {
      throw new ProblemError([problem]);
    },
  });
  expect(await problemsOf(sendAdminRequest(path, 'keys.create', {}))).toEqual([['settings-invalid', '--agent']]);
});

test('the response to an admin request contains nothing of an internal error', async () => {
  await open({ admin: () => Promise.reject(new Error('the secret is hunter2')) });
  const answer = await answerTo('{"seneschal":1,"admin":{"method":"keys.list"}}\n');
  expect(JSON.parse(answer)).toMatchObject({ ok: false, problems: [{ code: 'ingress-request-failed' }] });
  expect(answer).not.toContain('hunter2');
});

test.each([
  ['nonsense', 'hello\n'],
  ['another version', '{"seneschal":2,"agent":"demo"}\n'],
  ['both kinds', '{"seneschal":1,"agent":"demo","admin":{"method":"x"}}\n'],
  ['neither kind', '{"seneschal":1}\n'],
  ['a foreign member', '{"seneschal":1,"agent":"demo","role":"admin"}\n'],
  ['a greeting that is too long', `{"seneschal":1,"agent":"${'x'.repeat(70_000)}"}\n`],
])('%s is not a handshake', async (_what, line) => {
  await open();
  expect(JSON.parse(await answerTo(line))).toMatchObject({ ok: false, problems: [{ code: 'ingress-hello-invalid' }] });
});

test('the socket of a daemon that has ended is replaced', async () => {
  await open();
  const abandoned = join(directory, 'data', 'abandoned.sock');
  const dead = createServer();
  await new Promise<void>((resolve) => dead.listen(abandoned, resolve));
  dead.unref();
  await ingress?.close({ drainMs: 0 });
  path = abandoned;
  await open();
  expect(await sendAdminRequest(path, 'ping', {})).toEqual({ method: 'ping', params: {} });
  dead.close();
});

test('a file that is not a socket is not replaced', async () => {
  path = join(directory, 'precious.txt');
  writeFileSync(path, 'precious');
  expect(await problemsOf(open())).toEqual([['ingress-socket-failed', path]]);
});

test('a directory that takes no socket is a problem of the socket, with the code of the system', async () => {
  path = '/proc/seneschal.sock';
  expect(await problemsOf(open())).toEqual([['ingress-socket-failed', path]]);
});

test('without a daemon the error says that it is absent', async () => {
  expect(await problemsOf(sendAdminRequest(path, 'keys.list', {}))).toEqual([['ingress-socket-failed', path]]);
  await expect(sendAdminRequest(path, 'keys.list', {})).rejects.toMatchObject({ state: 'absent' });
});

test('the error for a daemon that closes the connection says that it is silent', async () => {
  mkdirSync(join(directory, 'data'), { mode: 0o700 });
  const stopping = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => stopping.listen(path, resolve));
  await expect(sendAdminRequest(path, 'keys.list', {})).rejects.toMatchObject({ state: 'silent' });
  stopping.close();
});

test('the error for a daemon that does not respond in time says that it is silent', async () => {
  await open({ admin: () => new Promise<never>(() => {}) });
  await expect(sendAdminRequest(path, 'keys.list', {}, 20)).rejects.toMatchObject({ state: 'silent' });
});

test('the daemon is notified when its last agent has disconnected', async () => {
  let idle: () => void = () => {};
  const received = new Promise<void>((resolve) => {
    idle = resolve;
  });
  await open({ onIdle: () => idle() });
  const socket = await connectAgent(path, 'demo');
  socket.end();
  await received;
});

test('closing ends the streams of agents and removes the socket', async () => {
  await open();
  const socket = await connectAgent(path, 'demo');
  const client = lineClient(socket);
  await ingress?.close({ drainMs: 0 });
  await client.ended;
  expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
});
