import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  legacyNotificationClient,
  modernNotificationClient,
  type NotificationClient,
} from '../../fixtures/clients/notification-client.ts';
import { stdioEntry } from '../../fixtures/clients/stdio-shim.ts';
import { governedHome, ledgerOf, until } from '../../fixtures/homes/governed-home.ts';
import { freePort, type Home, type Served } from '../../fixtures/homes/home.ts';
import { type GatedServer, serveGated } from '../../fixtures/servers/gated-server.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const EVERYTHING = resolve(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js');
const NOTIFYING = resolve(ROOT, 'test/fixtures/servers/notifying-stdio.mjs');
const POLICY = `
p, agent:*, tool:*, call, , allow
p, agent:demo, resource:*, read, , allow
p, agent:demo, resource:*, subscribe, , allow
p, agent:demo, resource:telling/memo:b, subscribe, , deny
`;
const DOCUMENT = 'demo://resource/dynamic/text/1';

let home: Home;
let served: Served;
let gated: GatedServer;
let everything: ChildProcess;
let key: string;
let otherKey: string;
const open: NotificationClient[] = [];

const piped = (name: string, args: readonly string[]): string =>
  `name: ${name}\ntransport: ${JSON.stringify({ type: 'stdio', command: process.execPath, args })}\npin: auto\n`;
const overHttp = (name: string, url: string): string =>
  `name: ${name}\ntransport: ${JSON.stringify({ type: 'streamable-http', url })}\npin: auto\n`;

beforeAll(async () => {
  gated = await serveGated();
  const port = await freePort();
  everything = spawn(process.execPath, [EVERYTHING, 'streamableHttp'], { env: { ...process.env, PORT: String(port) } });
  await until(async () => (await fetch(`http://127.0.0.1:${port}/mcp`).catch(() => undefined)) !== undefined);
  home = governedHome({
    agents: { demo: '', other: '' },
    servers: {
      pipes: piped('pipes', [EVERYTHING, 'stdio']),
      web: overHttp('web', `http://127.0.0.1:${port}/mcp`),
      notifying: piped('telling', [NOTIFYING, JSON.stringify({ era: 'modern', resources: true, logging: true })]),
      gated: overHttp('gated', gated.url),
    },
    policy: POLICY,
  });
  [key, otherKey] = [await home.key('demo'), await home.key('other')];
  served = await home.serve();
});

afterAll(async () => {
  await Promise.all(open.map((client) => client.close()));
  await home?.close();
  everything?.kill();
  await gated?.close();
});

async function kept(connecting: Promise<NotificationClient>): Promise<NotificationClient> {
  const client = await connecting;
  open.push(client);
  return client;
}

const http = (of = key) =>
  ({ type: 'http', url: `${served.url}/mcp`, headers: { authorization: `Bearer ${of}` } }) as const;
const CLIENTS = [
  ['a legacy agent over HTTP', () => kept(legacyNotificationClient(http()))],
  ['a legacy agent on pipes', () => kept(legacyNotificationClient(stdioEntry(home, 'demo')))],
  ['a modern agent over HTTP', () => kept(modernNotificationClient(http()))],
  ['a modern agent on pipes', () => kept(modernNotificationClient(stdioEntry(home, 'demo')))],
] as const;

test.each(CLIENTS)(
  '%s receives the progress of servers of both eras, over stdio and over HTTP',
  async (_who, connect) => {
    const client = await connect();
    const steps = { duration: 0.4, steps: 2 };
    for (const server of ['pipes', 'web']) {
      await client.call(`${server}__trigger-long-running-operation`, steps);
      expect([server, client.received.progress.splice(0)]).toEqual([
        server,
        [
          { progress: 1, total: 2 },
          { progress: 2, total: 2 },
        ],
      ]);
    }
    expect(await client.call('telling__steps')).toBe('done');
    expect(client.received.progress.splice(0)).toEqual([
      { progress: 1, total: 2, message: 'half' },
      { progress: 2, total: 2 },
    ]);
  },
);

test.each(CLIENTS)(
  '%s receives notifications of a modern server over HTTP before its response',
  async (_who, connect) => {
    const client = await connect();
    await client.setLevel('warning');
    const called = client.call('gated__gate', {}, 'warning');
    await until(() => client.received.progress.length === 1 && client.received.log.length === 1);
    gated.openGate();
    expect(await called).toBe('through');
    expect(client.received).toEqual({
      progress: [{ progress: 1, total: 2 }],
      log: [{ level: 'warning', logger: 'porter', data: 'at the gate' }],
      updated: [],
    });
  },
);

test.each(CLIENTS)('%s receives log messages of its own call and level only', async (_who, connect) => {
  const client = await connect();
  const other = await kept(legacyNotificationClient(http(otherKey)));
  await Promise.all([client.setLevel('debug'), other.setLevel('debug')]);
  await client.call('telling__log', { data: 'mine' }, 'debug');
  await until(() => client.received.log.length === 2);
  expect(client.received.log[0]).toEqual({ level: 'info', logger: 'l', data: 'mine' });
  expect(other.received.log).toEqual([]);
});

test('an agent that asks for no log messages receives none, whatever its server sends', async () => {
  const client = await kept(legacyNotificationClient(http()));
  await client.call('telling__log', { data: 'unasked' });
  expect(client.received.log).toEqual([]);
});

test.each(CLIENTS)('%s receives changes of what it subscribed to, until it unsubscribes', async (_who, connect) => {
  const client = await connect();
  expect(client.capabilities()).toMatchObject({ logging: {}, resources: { subscribe: true } });
  const end = await client.subscribe('seneschal://telling/memo:a');
  const endOther = await client.subscribe('seneschal://gated/memo:a');
  await client.call('telling__touch', { uri: 'memo:a' });
  await until(() => client.received.updated.length === 1);
  gated.change('memo:a');
  await until(() => client.received.updated.length === 2);
  expect(client.received.updated.splice(0)).toEqual(['seneschal://telling/memo:a', 'seneschal://gated/memo:a']);
  await end();
  await until(async () => (await client.call('telling__subscribed')) === '');
  await endOther();
});

test.each(CLIENTS)('%s is refused what no row grants, and the refusal is recorded', async (_who, connect) => {
  const client = await connect();
  await expect(client.subscribe('memo:b')).rejects.toThrow();
  const refusals = ledgerOf(home).filter(({ entry }) => entry.kind === 'call.refused' && entry.action === 'subscribe');
  expect(refusals.at(-1)?.entry).toMatchObject({ reason: 'policy-denied', principal: 'agent:demo' });
});

test('an official legacy server sends resource updates over HTTP', async () => {
  const client = await kept(modernNotificationClient(http()));
  const uri = `seneschal://web/${DOCUMENT}`;
  await client.subscribe(uri);
  await client.call('web__toggle-subscriber-updates');
  await until(() => client.received.updated.includes(uri));
  await client.call('web__toggle-subscriber-updates');
});
