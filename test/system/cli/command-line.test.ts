import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { governedHome, openLedgerDatabase, WireAgent } from '../../fixtures/homes/governed-home.ts';
import { freePort, type Home } from '../../fixtures/homes/home.ts';

const POLICY = `p, role:reader, tool:tools/echo, call, "args.nonce != 'x'", allow
p, role:reader, tool:tools/slow, call, , allow
g, agent:demo, role:reader
`;

let home: Home;
afterAll(() => home.close());

beforeAll(async () => {
  home = governedHome({ agents: { demo: 'team: support\n', other: '' }, policy: POLICY });
  home.write({ 'policies/tests/demo.yaml': '- as: agent:demo\n  may:\n    - call tool:tools/slow\n' });
  // A short history: one call that was allowed, one that was refused.
  const served = await home.serve();
  const agent = new WireAgent(served.url, await home.key('demo'));
  await agent.call('tools__echo', { nonce: 'n' });
  await agent.call('tools__echo', { nonce: 'x' });
  agent.close();
  await served.stop();
});

const words = (line: string): string[] => line.split(' ').filter(Boolean);

async function json(line: string): Promise<unknown> {
  const { stdout, stderr } = await home.run([...words(line), '--output', 'json']);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as unknown;
}

describe('exit codes', () => {
  test.each([
    ['--version', 0, ''],
    ['--help', 0, ''],
    ['', 2, 'a command is missing  (usage-missing-command)'],
    ['nonsense', 2, 'unknown command `nonsense`  (usage-unknown-command)'],
    ['serve --port x', 2, '--port: `x` is not a valid port  (settings-invalid)'],
    ['serve --idle-exit soon', 2, '--idle-exit: `soon` is not a duration  (settings-invalid)'],
    ['serve --host 0.0.0.0', 2, 'pass `--allow-host` with each host name that agents use'],
    ['serve --registry absent', 2, 'config-unreadable'],
    ['stdio', 2, 'the flag `--agent <agent>` is missing  (usage-missing-flag)'],
    ['keys create agent:unknown', 2, 'declare it in `registry/agents/unknown.yaml`'],
    ['keys create agent:demo --expires 5x', 2, '--expires: `5x` is not a duration  (settings-invalid)'],
    ['keys revoke 0000000000000000', 2, 'run `seneschal keys list`'],
    ['keys list', 0, ''],
    ['policy check', 0, ''],
    ['policy test', 0, ''],
    ['policy explain --as agent:demo call tool:tools/slow', 0, ''],
    ['policy explain --as demo call tool:tools/slow', 0, ''],
    ['policy explain --as agent:other call tool:tools/slow', 3, ''],
    ['policy explain --as agent:unknown call tool:tools/slow', 2, 'write one of agent:demo, agent:other'],
    ['policy explain --as agent:demo fly tool:tools/slow', 2, 'unknown action `fly`'],
    ['policy explain --as agent:demo call tool:tools/echo --args x', 2, '`--args` is not a JSON object'],
    ['policy explain --as agent:demo call tool:tools/echo --args {"a":1,"a":2}', 2, '(duplicate-key)'],
    ['policy explain --as agent:demo call tools__echo', 2, 'write `tool:tools/echo`'],
    ['policy check --policies absent', 0, ''],
    ['registry diff nosuch', 2, 'there is no server `nosuch`  (registry-unknown-server)'],
    ['registry diff tools', 0, ''],
    ['ledger list --limit x', 2, '--limit: `--limit` has a value that is not allowed'],
    ['ledger list --since yesterday', 2, 'write a time such as'],
    ['ledger show 123', 1, 'the ledger has no entry of call `123`  (ledger-unknown-call)'],
    ['ledger list --data absent', 1, 'the data directory has no ledger yet  (storage-file-missing)'],
    ['replay decide', 0, ''],
    ['replay decide --data absent', 1, 'hint: start `seneschal serve`'],
  ])('`seneschal %s` ends with %i', async (line, expected, said) => {
    const { code, stderr } = await home.run(words(line));
    expect([code, said === '' ? stderr : '']).toEqual([expected, '']);
    expect(stderr).toContain(said);
  });
});

describe('`--output json`', () => {
  test('keys are made, listed and revoked without their secret being shown twice', async () => {
    const made = (await json('keys create agent:demo --expires 90d')) as { id: string; key: string };
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      key: expect.stringMatching(/^sen_[0-9a-f]{16}_/),
    });
    const listed = (await json('keys list')) as { id: string }[];
    const [createdAtMs, expiresAtMs] = [expect.any(Number), expect.any(Number)];
    const shown = { id: made.id, agent: 'agent:demo', createdAtMs, expiresAtMs };
    expect(listed.find(({ id }) => id === made.id)).toEqual({ ...shown, state: 'active' });
    expect(JSON.stringify(listed)).not.toContain(made.key.slice(21));
    expect(await json(`keys revoke ${made.id}`)).toEqual({
      ...shown,
      revokedAtMs: expect.any(Number),
      state: 'revoked',
    });
  });

  test('policy questions are answered', async () => {
    expect(await json('policy check')).toEqual({ problems: [] });
    expect(await json('policy test')).toEqual({ checked: 1, failures: [] });
    expect(await json('policy explain --as agent:demo call tool:tools/echo --args {"nonce":"x"}')).toEqual({
      effect: 'deny',
      rows: [
        {
          at: 'policy.csv:1',
          text: `p, role:reader, tool:tools/echo, call, "args.nonce != 'x'", allow`,
          effect: 'allow',
          when: "args.nonce != 'x'",
          conditionResult: 'false',
        },
      ],
    });
  });

  test('the registry shows servers and tools as they stand', async () => {
    expect(await json('registry list')).toMatchObject({
      servers: [{ name: 'tools', transport: 'stdio', status: 'listed', era: 'legacy' }],
      tools: expect.arrayContaining([{ id: 'tool:tools/echo', status: 'active', risk: 'destructive', costNanoUsd: 0 }]),
      findings: [],
    });
    expect(await json('registry diff')).toEqual({ failed: [], tools: [] });
  });

  test('the ledger lists entries newest first and shows one call whole', async () => {
    const listed = (await json('ledger list --agent agent:demo')) as { entry: { kind: string; callId: string } }[];
    expect(listed.map(({ entry }) => entry.kind)).toEqual(['call.refused', 'call.closed', 'call.admitted']);
    const shown = (await json(`ledger show ${listed[2]?.entry.callId}`)) as object[];
    expect(shown).toMatchObject([
      { untouched: true, entry: { kind: 'call.admitted', target: { id: 'tool:tools/echo' } } },
      { untouched: true, entry: { kind: 'call.closed', outcome: 'completed' } },
    ]);
  });

  test('problems are one JSON line on standard error', async () => {
    const { code, stdout, stderr } = await home.run(['serve', '--port', 'x', '--output', 'json']);
    expect([code, stdout]).toEqual([2, '']);
    expect(JSON.parse(stderr)).toEqual({
      problems: [
        {
          code: 'settings-invalid',
          at: '--port',
          message: '`x` is not a valid port',
          hint: 'write a whole number from 0 to 65535',
        },
      ],
    });
  });
});

test('broken files at start end the broker with every problem, each at its place and with what to do', async () => {
  const broken = governedHome({ policy: 'p, agent:demo, tool:*, call, , denny\np, agent:demo\n' });
  broken.write({ 'registry/servers/bad.yaml': 'name: bad\ntransport: { type: stdio, comand: x }\n' });
  const { code, stdout, stderr } = await broken.run(['serve']);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/registry\/servers\/bad\.yaml:2:\d+: .*`comand`.* {2}\([a-z-]+\)\nhint: /);
  expect(stderr).toMatch(/policies\/policy\.csv:1:\d+: unknown effect `denny` {2}\(policy-unknown-effect\)\nhint: /);
  expect(stderr).toMatch(/policies\/policy\.csv:2:\d+: .* {2}\([a-z-]+\)\nhint: /);
  expect((await broken.run(['policy', 'check'])).code).toBe(2);
  await broken.close();
});

test('a policy test that fails keeps the broker from starting, and `policy test` says no', async () => {
  const broken = governedHome();
  broken.write({ 'policies/tests/demo.yaml': '- as: agent:demo\n  may_not:\n    - call tool:tools/echo\n' });
  const served = await broken.run(['serve']);
  expect([served.code, served.stdout]).toEqual([2, '']);
  expect(served.stderr).toMatch(/policies\/tests\/demo\.yaml:3:\d+: .*\(policy-test-failed\)\nhint: /);
  const tested = await broken.run(['policy', 'test']);
  expect(tested.code).toBe(3);
  expect(tested.stdout).toMatch(/1 checked, 1 failed\n$/);
  await broken.close();
});

test('a broker that cannot listen exits, and creates no key that no one would see', async () => {
  const served = await home.serve();
  const elsewhere = ['--data', home.path('elsewhere')];
  const taken = await home.run(['serve', '--port', new URL(served.url).port, '--first-key', 'demo', ...elsewhere]);
  expect(taken.code).toBe(1);
  expect(taken.stderr).toMatch(/\(ingress-listen-failed\)\nhint: /);
  expect((await home.run(['keys', 'list', '--output', 'json', ...elsewhere])).stdout).toBe('[]\n');
  const unknown = await home.run(['serve', '--port', String(await freePort()), '--first-key', 'unknown', ...elsewhere]);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('declare it in `registry/agents/unknown.yaml`');
  await served.stop();
});

test('a second broker on a data directory is refused with the pid of the holder', async () => {
  const served = await home.serve();
  const second = await home.run(['serve', '--port', String(await freePort())]);
  expect([second.code, second.stdout]).toEqual([1, '']);
  expect(second.stderr).toMatch(
    new RegExp(`process ${served.child.pid} holds the data directory {2}\\(data-directory-in-use\\)\nhint: `),
  );
  await served.stop();
});

test('a record that was changed afterwards ends `replay decide` with 4 and the name of the call', async () => {
  const database = openLedgerDatabase(home);
  const row = database.prepare("SELECT seq, call, body FROM entry WHERE kind = 'call.refused'").get() as {
    readonly seq: number;
    readonly call: string;
    readonly body: string;
  };
  const changed = row.body.replace('"false"', '"true"');
  expect(changed).not.toBe(row.body);
  database.prepare('UPDATE entry SET body = ? WHERE seq = ?').run(changed, row.seq);
  database.close();
  const { code, stdout } = await home.run(['replay', 'decide']);
  expect(code).toBe(4);
  expect(stdout).toContain(row.call);
  expect((await home.run(['ledger', 'list'])).stdout).toContain('TAMPERED');
});
