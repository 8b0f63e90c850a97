import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ProblemError } from '../../../src/domain/problem.ts';
import {
  commandServer,
  isAlive,
  movableClock,
  openJournal,
  openPool,
  stdioServer,
  textOf,
  until,
} from '../../fixtures/upstream-pool.ts';

const callsIn = (lines: readonly string[], tool: string): number =>
  lines.filter((line) => line === `call ${tool}`).length;
const startsIn = (lines: readonly string[]): number => lines.filter((line) => line.startsWith('start')).length;

test('a process that exits during a write leaves the call in doubt, and the call is not sent again', async () => {
  const journal = openJournal();
  const { call } = openPool(stdioServer({ journal: journal.path }));
  expect(await call('exit', {}, { risk: 'write' })).toMatchObject({ reason: 'upstream-lost', inDoubt: true });
  expect(callsIn(journal.lines(), 'exit')).toBe(1);
});

test('a process that exits during a read is started again and the read sent once more', async () => {
  const journal = openJournal();
  const { call } = openPool(stdioServer({ journal: journal.path }));
  expect(await call('exit', {}, { risk: 'read' })).toMatchObject({ reason: 'upstream-lost', inDoubt: true });
  expect(callsIn(journal.lines(), 'exit')).toBe(2);
});

test('a read in flight when its process is killed completes on the next one', async () => {
  const { call } = openPool(stdioServer());
  const pid = Number(textOf(await call('pid')));
  const pending = call('delay', { text: 'carried over', ms: 150 }, { risk: 'read' });
  await call('echo', { text: 'x' });
  process.kill(pid, 'SIGKILL');
  expect(textOf(await pending)).toBe('carried over');
});

test('a write in flight when its process is killed is in doubt, and the next call gets a new process', async () => {
  const { call } = openPool(stdioServer());
  const pid = Number(textOf(await call('pid')));
  const pending = call('delay', { text: 'x', ms: 5_000 }, { risk: 'destructive' });
  await call('echo', { text: 'x' });
  process.kill(pid, 'SIGKILL');
  expect(await pending).toMatchObject({ reason: 'upstream-lost', inDoubt: true });
  expect(Number(textOf(await call('pid')))).not.toBe(pid);
});

test('a crash of one principal’s process does not affect that of another', async () => {
  const { call } = openPool(stdioServer());
  const ben = textOf(await call('pid', {}, { as: 'ben' }));
  await call('exit', {}, { as: 'ana' });
  expect(textOf(await call('pid', {}, { as: 'ben' }))).toBe(ben);
});

test('a server that keeps crashing is started at growing intervals', async () => {
  const journal = openJournal();
  const clock = movableClock();
  const { call, pool } = openPool(stdioServer({ journal: journal.path, crash: true }), { clock });
  for (let round = 0; round < 20; round += 1) {
    expect(await call('echo')).toMatchObject({ reason: 'upstream-unavailable', inDoubt: false });
  }
  expect(startsIn(journal.lines())).toBe(3);
  expect(pool.status()).toMatchObject([{ state: 'backing-off' }]);
  clock.advance(60_000);
  await call('echo');
  expect(startsIn(journal.lines())).toBe(4);
});

test('a server whose command does not exist is unavailable, and nothing is sent', async () => {
  const server = commandServer([], { era: 'legacy' });
  const { call } = openPool({
    ...server,
    transport: {
      ...server.transport,
      type: 'stdio',
      command: '/no/such',
      args: [],
      resolveEnv: () => Promise.resolve({}),
    },
  });
  expect(await call('echo')).toEqual({
    kind: 'failed',
    reason: 'upstream-unavailable',
    message: '`srv`: `initialize` failed: the command could not be started: ENOENT',
    inDoubt: false,
  });
});

test('a server whose secrets cannot be resolved is not started, and the secrets are not named', async () => {
  const server = stdioServer();
  const resolveEnv = (): Promise<never> => Promise.reject(new Error('TOKEN is hunter2'));
  const { call } = openPool({ ...server, transport: { type: 'stdio', command: 'node', args: [], resolveEnv } });
  expect(await call('echo')).toMatchObject({
    reason: 'upstream-unavailable',
    message: '`srv`: its settings or secrets cannot be resolved',
  });
});

test('a secret that cannot be resolved is named to the operator and not to the agent', async () => {
  const problem = {
    code: 'credentials-reference-missing',
    at: 'x.yaml:3:1',
    message: 'no `TOKEN`',
    hint: 'set it',
  } as const;
  const resolveEnv = (): Promise<never> => Promise.reject(new ProblemError([problem]));
  const { call, pool } = openPool({
    ...stdioServer(),
    transport: { type: 'stdio', command: 'node', args: [], resolveEnv },
  });
  expect(await call('echo')).toMatchObject({ message: '`srv`: its settings or secrets cannot be resolved' });
  expect(pool.status()[0]?.error).toMatch('x.yaml:3:1: no `TOKEN`');
});

test('a process is ended together with its descendants', async () => {
  const { call, pool } = openPool(stdioServer());
  const parent = Number(textOf(await call('pid')));
  const child = Number(textOf(await call('fork')));
  expect([isAlive(parent), isAlive(child)]).toEqual([true, true]);
  await pool.close();
  await until(() => !isAlive(parent) && !isAlive(child));
});

test('descendants of a crashed process are ended too', async () => {
  const { call } = openPool(stdioServer());
  const child = Number(textOf(await call('fork')));
  await call('exit');
  await until(() => !isAlive(child));
});

test('a process that is stopped and ignores SIGTERM is ended too', async () => {
  const { call, pool } = openPool(stdioServer());
  const pid = Number(textOf(await call('pid')));
  process.kill(pid, 'SIGSTOP');
  await pool.close();
  expect(isAlive(pid)).toBe(false);
});

test('a process gets the harmless variables of the broker’s environment and the declared ones, no others', async () => {
  const environment = {
    PATH: process.env.PATH,
    HOME: '/home/x',
    SENESCHAL_SECRET: 's',
    AWS_SECRET_ACCESS_KEY: 's',
    SHELL: '() { evil; }',
  };
  const { call } = openPool(stdioServer({}, { env: { CRM_TOKEN: 't' } }), { environment });
  expect(JSON.parse(String(textOf(await call('env'))))).toEqual({
    PATH: process.env.PATH,
    HOME: '/home/x',
    CRM_TOKEN: 't',
  });
});

test('arguments go to the program unchanged, without a shell', async () => {
  const journal = openJournal();
  const file = `${journal.path}.pwned`;
  writeFileSync(journal.path, '');
  const { call } = openPool(stdioServer({ journal: journal.path, note: `$(touch ${file}); touch ${file}` }));
  expect(textOf(await call('echo', { text: 'x' }))).toBe('x');
  await expect(import('node:fs/promises').then((fs) => fs.stat(file))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the last 64 KB of stderr are kept for the operator', async () => {
  const { call, pool } = openPool(stdioServer({ crash: true, stderr: `${'x'.repeat(100_000)}the end` }));
  await call('echo');
  expect(pool.stderrTail('srv')).toHaveLength(65_536);
  expect(pool.stderrTail('srv').endsWith('the end')).toBe(true);
});

test('an idle session is closed, and the next call opens another', async () => {
  const clock = movableClock();
  const { call } = openPool(stdioServer({}, { idleMs: 60_000 }), { clock });
  const pid = Number(textOf(await call('pid')));
  clock.advance(60_000);
  await until(() => !isAlive(pid));
  expect(Number(textOf(await call('pid')))).not.toBe(pid);
});

test('a reload keeps the process of a server with unchanged settings', async () => {
  const { call, pool } = openPool(stdioServer());
  const pid = textOf(await call('pid'));
  pool.applyServers([stdioServer({ any: 'thing' }, { revision: '1' })]);
  expect(textOf(await call('pid'))).toBe(pid);
});

test('after a change of settings, calls in flight end in the old process and new calls use a new one', async () => {
  const { call, pool } = openPool(stdioServer());
  const old = Number(textOf(await call('pid')));
  const pending = call('delay', { text: 'ended well', ms: 300 });
  await call('echo', { text: 'x' });
  pool.applyServers([stdioServer({}, { revision: '2' })]);
  expect(Number(textOf(await call('pid')))).not.toBe(old);
  expect(textOf(await pending)).toBe('ended well');
  await until(() => !isAlive(old));
});

test('a server that was removed takes no call, and its process ends', async () => {
  const { call, pool } = openPool(stdioServer());
  const pid = Number(textOf(await call('pid')));
  pool.applyServers([]);
  expect(await call('pid')).toMatchObject({ reason: 'upstream-unavailable', inDoubt: false });
  await until(() => !isAlive(pid));
});
