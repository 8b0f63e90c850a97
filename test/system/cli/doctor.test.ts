import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  governedHome,
  type HomeParts,
  openLedgerDatabase,
  processServer,
  until,
} from '../../fixtures/homes/governed-home.ts';
import { Home, type Ran } from '../../fixtures/homes/home.ts';
import { isAlive } from '../../fixtures/programs/process-stats.ts';

const POLICY = 'p, agent:demo, tool:tools/echo, call, , allow\n';
const DESCRIBED = 'tools:\n  echo: { risk: read }\n';
const SERVERS = { tools: processServer('tools', { more: DESCRIBED }) };

let home: Home;
afterEach(() => home.close());

/** A set-up in which all is well: one agent with a key and a grant, one server. */
async function healthyHome(parts: HomeParts = {}): Promise<Home> {
  home = governedHome({ policy: POLICY, servers: SERVERS, ...parts });
  await home.key('demo');
  return home;
}

const reference = (to: string): string => `$\{${to}}`;

/** Without a fixed port, which another program of this machine may hold. */
const examined = (more: readonly string[] = []): Promise<Ran> => home.run(['doctor', '--port', '0', ...more]);

/** The findings as `severity code`, and the output for people, without the path of this home. */
async function diagnose(): Promise<{
  readonly code: number;
  readonly codes: readonly string[];
  readonly text: string;
}> {
  const { code, stdout } = await examined();
  const text = stdout.replaceAll(home.dir, 'HOME');
  const lines = text.split('\n').filter((line) => /^(?:error|warning): /.test(line));
  const codes = lines.map((line) => line.replace(/^(\w+): .*\(([\w-]+)\)$/, '$1 $2'));
  return { code, codes, text };
}

test('a healthy set-up is one line, without a broker and beside one', async () => {
  await healthyHome();
  expect(await examined()).toMatchObject({ code: 0, stdout: 'healthy: 13 checks\n' });
  const served = await home.serve();
  expect(await examined()).toMatchObject({ code: 0, stdout: 'healthy: 13 checks\n' });
  await served.stop();
});

test('before the first start there is nothing to complain of, and nothing is made', async () => {
  home = governedHome({ policy: POLICY, servers: SERVERS });
  expect(await diagnose()).toMatchObject({ code: 0, codes: [] });
  expect(existsSync(home.path('data'))).toBe(false);
});

test('in a directory without a home it is said how one is made', async () => {
  home = new Home();
  const { code, codes, text } = await diagnose();
  expect([code, codes]).toEqual([1, ['error config-unreadable']]);
  expect(text).toContain(
    'HOME/registry: there is no registry here  (config-unreadable)\n' +
      'hint: run `seneschal init` to create one, or name another directory with `--registry`\n',
  );
});

test('a data directory and a file of it that others can open', async () => {
  await healthyHome();
  chmodSync(home.path('data'), 0o755);
  chmodSync(home.path('data/lock'), 0o640);
  const { code, codes, text } = await diagnose();
  expect([code, codes]).toEqual([1, ['error doctor-file-open', 'error doctor-file-open']]);
  expect(text).toContain('HOME/data: other users of this machine can open it: its mode is 755');
  expect(text).toContain('hint: run `chmod go= HOME/data/lock`\n');
});

test('a row of the policy and a file of the registry that do not load are both named', async () => {
  await healthyHome();
  home.write({
    'policies/policy.csv': 'p, agent:demo, tool:*, call, , denny\n',
    'registry/agents/x.yaml': 'name: x\n',
  });
  const { code, codes, text } = await diagnose();
  expect([code, codes]).toEqual([1, ['error config-missing-key', 'error policy-unknown-effect']]);
  expect(text).toMatch(/policy\.csv:1:\d+: unknown effect `denny` .*\nhint: write `allow` or `deny`/);
});

test('a policy test that does not hold', async () => {
  await healthyHome();
  home.write({ 'policies/tests/demo.yaml': '- as: agent:demo\n  may_not:\n    - call tool:tools/echo\n' });
  const { code, codes, text } = await diagnose();
  expect([code, codes]).toEqual([1, ['error policy-test-failed']]);
  expect(text).toContain('hint: run `seneschal policy explain --as agent:demo call tool:tools/echo`');
});

test('a server that does not start', async () => {
  await healthyHome({
    servers: {
      gone: 'name: gone\ntransport: { type: stdio, command: /nonexistent/server }\npin: auto\n',
      ...SERVERS,
    },
  });
  const { code, codes, text } = await diagnose();
  expect([code, codes]).toEqual([1, ['error doctor-server-failed']]);
  expect(text).toContain('registry/servers/gone.yaml:2:12: the server `gone` cannot list its tools: ');
  expect(text).toContain('hint: fix its `command` or `url` in this file, then run `seneschal registry list`');
});

test('a missing secret is reported once, and not again as a failed server', async () => {
  await healthyHome({
    servers: { tools: processServer('tools', { env: { TOKEN: reference('env:NO_SUCH_TOKEN') }, more: DESCRIBED }) },
  });
  const { code, codes, text } = await diagnose();
  expect([code, codes]).toEqual([1, ['error credentials-reference-missing']]);
  expect(text).toContain('hint: set it in the environment that starts the broker: `export NO_SUCH_TOKEN=…`');
});

test('a secret that the broker has and this shell has not is no fault', async () => {
  await healthyHome({
    servers: { tools: processServer('tools', { env: { TOKEN: reference('env:BROKERS_TOKEN') }, more: DESCRIBED }) },
  });
  const served = await home.serve({ env: { BROKERS_TOKEN: 'hidden' } });
  expect(await examined()).toMatchObject({ code: 0, stdout: 'healthy: 13 checks\n' });
  await served.stop();
});

test('a secret file that others can read', async () => {
  await healthyHome({
    servers: { tools: processServer('tools', { env: { TOKEN: reference('file:token.md') }, more: DESCRIBED }) },
  });
  writeFileSync(home.path('registry/token.md'), 'hidden\n', { mode: 0o644 });
  const { code, codes, text } = await diagnose();
  expect([code, codes]).toEqual([0, ['warning credentials-file-readable-by-others']]);
  expect(text).toContain('hint: chmod 600 token.md');
  expect(text).not.toContain('hidden');
});

test('tools that are not pinned, one that drifted, and one that is gone', async () => {
  await healthyHome({ servers: {}, policy: 'p, agent:demo, tool:srv/read, call, , allow\n' });
  const args = [join(import.meta.dirname, '../../fixtures/servers/declared-tools.mjs')];
  const env = { DECLARED: home.path('declared.json'), CALL_LOG: home.path('calls.log') };
  const transport = JSON.stringify({ type: 'stdio', command: process.execPath, args, env });
  home.write({
    'registry/servers/srv.yaml': `name: srv\ntransport: ${transport}\ntools:\n  read: { risk: read }\n`,
    'declared.json': JSON.stringify({ read: 'reads', write: 'writes' }),
  });
  const unpinned = await diagnose();
  expect([unpinned.code, unpinned.codes]).toEqual([0, ['warning doctor-tool-blocked']]);
  expect(unpinned.text).toContain('2 of the tools of `srv` are unpinned and cannot be called: `read`, `write`');
  expect(unpinned.text).toContain('then pin them with `seneschal registry pin srv`');
  await home.run(['registry', 'pin']);
  expect((await diagnose()).codes).toEqual([]);
  home.write({ 'declared.json': JSON.stringify({ read: 'reads, and obeys' }) });
  const drifted = await diagnose();
  expect([drifted.code, drifted.codes]).toEqual([1, ['error doctor-tool-blocked', 'warning doctor-tool-blocked']]);
  expect(drifted.text).toContain('1 of the tools of `srv` are drifted and cannot be called: `read`');
  expect(drifted.text).toContain('hint: review the changes with `seneschal registry diff srv`');
  expect(drifted.text).toContain('1 of the tools of `srv` are missing and cannot be called: `write`');
});

test('a port that another program holds', async () => {
  await healthyHome();
  const other = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  const address = other.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const { code, stdout } = await home.run(['doctor', '--port', `${port}`]);
  expect(code).toBe(1);
  expect(stdout).toContain(
    `error: --port: cannot listen on \`127.0.0.1:${port}\`: EADDRINUSE  (ingress-listen-failed)\n`,
  );
  expect(stdout).toContain(
    `hint: find the process with \`ss -ltnp sport = :${port}\`, or choose another port with \`--port\``,
  );
  other.close();
});

test('keys that have expired, or soon will', async () => {
  const policy = 'p, role:user, tool:tools/echo, call, , allow\ng, agent:demo, role:user\ng, agent:other, role:user\n';
  home = governedHome({ agents: { demo: '', other: '' }, policy, servers: SERVERS });
  await home.run(['keys', 'create', 'agent:demo', '--expires', '1ms']);
  await home.run(['keys', 'create', 'agent:other', '--expires', '5d']);
  const { code, codes, text } = await diagnose();
  expect([code, codes]).toEqual([
    1,
    ['error doctor-key-expired', 'warning doctor-key-expiring', 'warning doctor-agent-without-key'],
  ]);
  expect(text).toMatch(
    /key [0-9a-f]{16}: the key of agent:other expires in 5 days, on \d{4}-\d\d-\d\d {2}\(doctor-key-expiring\)/,
  );
  expect(text).toContain(
    'create a key with `seneschal keys create agent:demo --expires 90d`, then run `seneschal keys revoke ',
  );
  // With another key the agent is not locked out.
  await home.key('demo');
  expect((await diagnose()).codes).toEqual(['warning doctor-key-expired', 'warning doctor-key-expiring']);
});

test('an agent that may do nothing', async () => {
  await healthyHome({ agents: { demo: '', idle: '' } });
  await home.key('idle');
  const { code, codes, text } = await diagnose();
  expect([code, codes]).toEqual([0, ['warning doctor-agent-without-grant']]);
  expect(text).toContain(
    'registry/agents/idle.yaml: no grant applies to agent:idle, its roles or its team: it may call nothing',
  );
  expect(text).toContain('hint: see why with `seneschal policy list --as agent:idle --all`, or remove the file');
});

test('a clock that was set back', async () => {
  await healthyHome();
  const database = openLedgerDatabase(home);
  database.prepare('UPDATE entry SET at = ? WHERE seq = 1').run(Date.now());
  database.prepare('UPDATE entry SET at = ? WHERE seq = (SELECT max(seq) FROM entry)').run(Date.UTC(2099, 0, 1));
  database.close();
  const { code, codes, text } = await diagnose();
  expect([code, codes]).toEqual([1, ['error doctor-clock-behind']]);
  expect(text).toContain('was written at 2099-01-01T00:00:00.000Z');
  expect(text).toContain('hint: set the clock (`timedatectl set-ntp true`)');
});

test('a database that is none', async () => {
  await healthyHome();
  writeFileSync(home.path('data/seneschal.db'), 'this is no database');
  const { code, codes, text } = await diagnose();
  expect(code).toBe(1);
  expect(new Set(codes)).toEqual(new Set(['error storage-file-damaged']));
  expect(text).toContain('hint: restore it from a backup, or name another directory with `--data`');
});

test('a broker that was killed, and one that hangs', async () => {
  await healthyHome();
  const killed = await home.serve();
  await killed.stop('SIGKILL');
  const left = await diagnose();
  expect([left.code, left.codes]).toEqual([0, ['warning doctor-lock-left']]);
  expect(left.text).toContain(`a broker (process ${killed.child.pid}) ended without releasing the data directory`);
  const hanging = await home.serve();
  hanging.child.kill('SIGSTOP');
  const silent = await diagnose();
  expect([silent.code, silent.codes]).toEqual([1, ['error doctor-daemon-silent']]);
  expect(silent.text).toContain(`if it hangs, run \`kill ${hanging.child.pid}\``);
  hanging.child.kill('SIGCONT');
  await hanging.stop();
});

test('`--output json` has findings with code, place, severity and fix, and the measurements', async () => {
  home = governedHome({ policy: POLICY, servers: SERVERS });
  await home.key('demo');
  chmodSync(home.path('data'), 0o750);
  const { code, stdout, stderr } = await examined(['--output', 'json']);
  expect([code, stderr]).toEqual([1, '']);
  expect(JSON.parse(stdout)).toMatchObject({
    healthy: false,
    findings: [
      {
        ...{ check: 'data directory', severity: 'error', code: 'doctor-file-open', at: home.path('data') },
        ...{
          message: 'other users of this machine can open it: its mode is 750',
          hint: `run \`chmod go= ${home.path('data')}\``,
        },
      },
    ],
    facts: {
      disk: { freeBytes: expect.any(Number), syncMs: expect.any(Number) },
      servers: { asked: [{ name: 'tools', status: 'listed', era: 'legacy', protocolVersion: '2025-11-25' }] },
      keys: { keys: 1 },
    },
  });
});

test('Ctrl-C ends the servers that were started to be asked', async () => {
  await healthyHome();
  const pids = home.path('pids');
  const script = 'echo $$ >> "$PIDS"; exec sleep 600';
  const transport = JSON.stringify({ type: 'stdio', command: 'sh', args: ['-c', script], env: { PIDS: pids } });
  home.write({ 'registry/servers/mute.yaml': `name: mute\ntransport: ${transport}\nstartTimeout: 60s\n` });
  const child = spawn(process.execPath, [home.command, 'doctor', '--port', '0'], {
    cwd: home.dir,
    env: home.environment(),
  });
  const ended = once(child, 'exit');
  await until(() => existsSync(pids) && readFileSync(pids, 'utf8').includes('\n'));
  child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  const pid = Number(readFileSync(pids, 'utf8').trim());
  await until(() => !isAlive(pid));
});
