import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  governedHome,
  ledgerOf,
  openLedgerDatabase,
  processServer,
  until,
  WireAgent,
} from '../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';

const POLICY = `p, role:reader, tool:tools/echo, call, "args.nonce != 'x'", allow
p, role:reader, tool:tools/slow, call, , allow
p, agent:demo, tool:tools/huge, call, , deny
g, agent:demo, role:reader
p, agent:other, resource:tools/*, read, , allow
p, agent:other, resource:tools/test://t/secret, read, , deny
`;
const LIMITS = `rates:
  - { subject: "agent:*", resource: "tool:*", limit: 60/h, burst: 5 }
concurrency:
  - { subject: "role:reader", resource: "tool:*", limit: 3 }
budgets:
  - { subject: "agent:*", resource: "tool:*", window: month, hard: { calls: 4, usd: "1.00" }, soft: 50% }
`;

let home: Home;
let served: Served;
afterAll(() => home.close());

beforeAll(async () => {
  const more = 'tools:\n  echo: { risk: read, costUsd: "0.25" }\n';
  const tools = processServer('tools', { env: { TOOLS: 'echo,slow,huge' }, more });
  const agents = { demo: 'team: support\ncostCenter: cc-1\n', other: '' };
  home = governedHome({ agents, policy: POLICY, limits: LIMITS, servers: { tools } });
  served = await home.serve();
  const agent = new WireAgent(served.url, await home.key('demo'));
  await agent.call('tools__echo', { nonce: 'a' });
  await agent.call('tools__echo', { nonce: 'x' });
  await agent.call('tools__echo', { nonce: 'b' });
  agent.close();
});

async function asked(line: string): Promise<{ code: number; stdout: string; stderr: string; json: () => unknown }> {
  const ran = await home.run(line.split(' '));
  return { ...ran, json: () => JSON.parse(ran.stdout) as unknown };
}

test('`limits status` asks the broker that counts, and without one tells the budgets that it left', async () => {
  const { json } = await asked('limits status --as agent:demo --output json');
  const place = { resource: 'tool:*', action: '*' };
  const budget = {
    ...{ kind: 'budget', rule: 'limits.yaml:6', subject: 'agent:demo', ...place, window: 'month' },
    ...{ endsAt: expect.stringMatching(/^\d{4}-\d\d-01T00:00:00\.000Z$/), limit: { calls: 4, usd: '1.00' } },
    ...{ used: { calls: 2, usd: '0.50' }, reserved: { calls: 0, usd: '0.00' }, left: { calls: 2, usd: '0.50' } },
    ...{ softPercent: 50, softCrossed: true },
  };
  expect(json()).toEqual({
    running: true,
    limits: [
      {
        kind: 'rate',
        rule: 'limits.yaml:2',
        subject: 'agent:demo',
        ...place,
        limit: '60/h',
        burst: 5,
        used: 3,
        left: 2,
        nextInMs: 0,
      },
      { kind: 'concurrency', rule: 'limits.yaml:4', subject: 'role:reader', ...place, limit: 3, used: 0, left: 3 },
      budget,
    ],
  });
  expect((await asked('limits status --as agent:unknown')).stderr).toContain('write one of agent:demo, agent:other');
  await served.stop();
  expect((await asked('limits status --as agent:demo --output json')).json()).toEqual({
    running: false,
    limits: [budget],
  });
  expect((await asked('limits status')).stderr).toContain('no broker runs: ');
});

test('`policy list` says of every tool what `policy explain` says of it, and names the rows', async () => {
  const listed = (await asked('policy list --as agent:demo --all --output json')).json() as {
    readonly tools: readonly { readonly tool: string; readonly effect: string }[];
  };
  expect(listed).toEqual({
    ...{ agent: 'agent:demo', team: 'support', roles: ['role:reader'], refused: 1 },
    tools: [
      { tool: 'tool:tools/echo', effect: 'depends-on-arguments', by: ['policy.csv:1'], pinned: true },
      { tool: 'tool:tools/huge', effect: 'deny', by: ['policy.csv:3'], pinned: true },
      { tool: 'tool:tools/slow', effect: 'allow', by: ['policy.csv:2'], pinned: true },
    ],
  });
  for (const { tool, effect } of listed.tools) {
    const explained = await asked(`policy explain --as agent:demo call ${tool} --output json`);
    expect(explained.json()).toMatchObject({ effect });
  }
  const { stdout, stderr } = await asked('policy list --as agent:demo');
  expect(stdout).toBe(`agent:demo is role:reader, team:support
TOOL             MAY CALL              BY
tool:tools/echo  depends on arguments  policy.csv:1
tool:tools/slow  yes                   policy.csv:2
`);
  expect(stderr).toBe('1 more are denied; `--all` lists them\n');
});

test.each(['test://t/secret', 'test://t/%73ecret', 'TEST://t/x/../secret'])(
  '`policy explain` decides on %s by its normal form, as a read does',
  async (uri) => {
    const { code, json } = await asked(`policy explain --as agent:other read resource:tools/${uri} --output json`);
    expect([code, json()]).toMatchObject([3, { effect: 'deny', rule: 'policy.csv:6' }]);
    const { stdout } = await asked(`policy explain --as agent:other read resource:tools/${uri}`);
    const note = '  note: decided as `resource:tools/test://t/secret`, the normal form of the URI';
    expect(stdout.includes(note)).toBe(uri !== 'test://t/secret');
  },
);

test('`policy explain` says of a URI without a normal form that it cannot be asked for', async () => {
  const { code, stdout } = await asked('policy explain --as agent:other read resource:tools/test://me@t/secret');
  expect([code, stdout]).toEqual([
    3,
    `agent:other read resource:tools/test://me@t/secret: deny
  no row matches, so the request is denied
  note: the URI has no normal form: a call is refused as unknown-resource, whatever the policy says
`,
  ]);
});

describe('`usage`', () => {
  test('sums calls, refusals and money by what is asked', async () => {
    const sums = { calls: 3, completed: 2, refused: 1, failed: 0, inDoubt: 0, usd: '0.50' };
    expect((await asked('usage --by cost-centre --output json')).json()).toEqual({
      ...{ by: 'cost-centre', since: null, until: null, rows: [{ key: 'cc-1', ...sums }], total: sums, unreadable: 0 },
    });
    expect(
      (await asked('usage --by reason')).stdout,
    ).toBe(`REASON         CALLS  COMPLETED  REFUSED  FAILED  IN DOUBT  USD
policy-denied  1      0          1        0       0         0.00
-              2      2          0        0       0         0.50
total          3      2          1        0       0         0.50
`);
    expect((await asked('usage --by team --since 1d --output json')).json()).toMatchObject({
      rows: [{ key: 'support' }],
    });
    expect((await asked('usage --until 2001-01-01 --output json')).json()).toMatchObject({
      rows: [],
      total: { calls: 0 },
    });
  });

  test.each([
    ['usage --by mood', 'write `agent` or `tool`'],
    ['usage --since yesterday', 'write a time such as `2026-11-23T12:00:00Z`'],
    ['usage --since 2026-02-30', 'write a time such as'],
    ['usage --since 2026-02-03T10:00', 'write a time such as'],
  ])('`%s` is no question', async (line, hint) => {
    const { code, stderr } = await asked(line);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
  });
});

describe('`ledger tail`', () => {
  const start = (args: readonly string[]) =>
    spawn(process.execPath, [home.command, 'ledger', 'tail', ...args], { cwd: home.dir, env: home.environment() });

  test('shows the newest entries oldest first, and filters as `ledger list` does', async () => {
    const { stdout } = await asked('ledger tail --limit 2 --tool tools__echo --output json');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { seq: number; entry: { kind: string } });
    expect(lines.map(({ entry }) => entry.kind)).toEqual(['call.admitted', 'call.closed']);
    const listed = (await asked('ledger list --reason policy-denied --output json')).json() as readonly {
      seq: number;
    }[];
    const tailed = await asked('ledger tail --reason policy-denied');
    expect(tailed.stdout).toMatch(new RegExp(`^${listed[0]?.seq} .* tool:tools/echo policy-denied .*\n$`));
    expect((await asked('ledger list --reason mood')).stderr).toContain('write one of unknown-tool, ');
    expect((await asked('ledger list --tool echo')).stderr).toContain('write an id such as `tool:files/read_file`');
  });

  test('follows what a broker writes, from its start on, and ends with Ctrl-C', async () => {
    await served.stop();
    const child = start(['--follow', '--limit', '1', '--output', 'json']);
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const ended = once(child, 'exit');
    await until(() => printed.includes('\n'));
    const again = await home.serve();
    await until(() => printed.includes('"broker.started"'));
    await again.stop();
    // The entry that it began with is of an earlier stop.
    await until(() => printed.split('"asked to stop"').length > 2);
    child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    const shown = printed
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { seq: number }).seq);
    const last = ledgerOf(home).at(-1)?.seq ?? 0;
    // Each once, in order, none left out.
    expect(shown).toEqual(Array.from({ length: shown.length }, (_, index) => last - shown.length + 1 + index));
  });

  test('ends when the reader closes the pipe', async () => {
    const child = start(['--follow']);
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const ended = once(child, 'exit');
    const database = openLedgerDatabase(home);
    database.exec(
      'INSERT INTO entry (kind, at, principal, body, leaf) SELECT kind, at, principal, body, leaf FROM entry LIMIT 1',
    );
    database.close();
    expect(await ended).toEqual([0, null]);
    expect(complaint).toBe('');
  });
});
