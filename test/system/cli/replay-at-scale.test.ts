import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { replayLedger } from '../../../src/app/queries/ledger.ts';
import { settingsFrom } from '../../../src/app/settings.ts';
import { leafHash } from '../../../src/ledger/stored-entry.ts';
import type { Difference } from '../../../src/replay/replay-decide.ts';
import {
  governedHome,
  type LedgerRow,
  ledgerOf,
  openLedgerDatabase,
  processServer,
  until,
  WireAgent,
} from '../../fixtures/homes/governed-home.ts';
import type { Home } from '../../fixtures/homes/home.ts';
import { scaled } from '../../fixtures/scale.ts';

/** Calls that are recorded one by one; 10,000 take about a minute. */
const CALLS = scaled({ small: 400, full: 10_000 });
const AT_ONCE = 16;

const AGENTS = { reader: '', editor: 'team: writers\n', hasty: '', spender: '', leaver: '' };

/** Three policies and limits that take turns: each allows, refuses and counts something else. */
const POLICIES = [
  `p, role:reader, tool:tools/echo, call, "args.nonce != 'secret'", allow
p, role:reader, tool:tools/lookup, call, , allow
p, role:reader, tool:tools/slow, call, , allow
p, role:editor, tool:tools/*, call, , allow
p, role:editor, tool:tools/hang, call, , deny
`,
  `p, role:reader, tool:tools/echo, call, "args.nonce == 'secret' || now < timestamp('2020-01-01T00:00:00Z')", allow
p, role:editor, tool:tools/echo, call, , allow
p, role:editor, tool:tools/echo, call, "args.nonce == 'secret'", deny
`,
  `p, role:reader, set:cheap, call, , allow
p, role:editor, tool:*, call, "principal.agent != 'agent:editor' || principal.team == 'writers'", allow
p, role:editor, tool:tools/hang, call, , deny
g2, tool:tools/echo, set:cheap
g2, tool:tools/lookup, set:cheap
g2, tool:tools/slow, set:cheap
`,
].map(
  (rows) =>
    `${rows}${Object.keys(AGENTS)
      .map((agent) => `g, agent:${agent}, role:${agent === 'editor' ? 'editor' : 'reader'}`)
      .join('\n')}\n`,
);

const LIMITS = [1, 2, 3].map(
  (turn) => `rates:
  - { subject: "agent:hasty", resource: "tool:*", action: call, limit: ${turn * 60}/m, burst: ${turn} }
concurrency:
  - { subject: "agent:*", resource: "tool:tools/slow", limit: 1 }
budgets:
  - { subject: "agent:spender", resource: "tool:*", window: month, hard: { calls: ${turn * 20}, usd: "0.${turn}0" }, soft: 50% }
  - { subject: "*", resource: "tool:tools/echo", window: day, hard: { usd: "${turn * 1000}.00" } }
`,
);

const TOOLS = `tools:
  echo: { risk: read, costUsd: "0.003" }
  lookup: { risk: read, costUsd: "0.001", labels: [slow] }
`;

/** What the agents ask, one after the other: right and wrong arguments, tools that err, lie, are unknown or forbidden. */
const ASKED: readonly (readonly [string, object])[] = [
  ['tools__echo', { nonce: 'plain' }],
  ['tools__echo', { nonce: 'secret' }],
  ['tools__lookup', {}],
  ['tools__slow', { nonce: 'a', ms: 60 }],
  ['tools__invalid_output', {}],
  ['tools__echo', { nonce: 'more' }],
  ['tools__hang', {}],
  ['tools__nothing', {}],
  ['tools__slow', { nonce: 'b', ms: 60 }],
  ['tools__echo', { nonce: 7 }],
];

let home: Home;

beforeAll(async () => {
  home = governedHome({
    ...{ agents: AGENTS, policy: POLICIES[0] ?? '', limits: LIMITS[0] ?? '' },
    servers: { tools: processServer('tools', { more: TOOLS }) },
  });
  await recordCalls(CALLS);
}, 600_000);

afterAll(() => home.close());

/** Lets the agents call until that many calls are recorded, while policies, limits and keys change under them. */
async function recordCalls(count: number): Promise<void> {
  const served = await home.serve();
  const names = Object.keys(AGENTS);
  const keys = await Promise.all(names.map((agent) => home.key(agent)));
  const agents = keys.map((key) => new WireAgent(served.url, key));
  let asked = 0;
  for (let phase = 0; countCalls() < count; phase += 1) {
    const applied = ledgerOf(home).filter(({ kind }) => kind === 'policy.applied').length;
    const goal = asked + Math.max(100, Math.ceil(count / 8));
    const worker = async (): Promise<void> => {
      while (asked < goal) {
        const turn = asked++;
        const [name, args] = ASKED[turn % ASKED.length] ?? ['', {}];
        await agents[(turn * 7 + Math.floor(turn / 10)) % agents.length]?.call(name, args, turn);
      }
    };
    const load = Promise.all(Array.from({ length: AT_ONCE }, worker));
    const next = (phase + 1) % POLICIES.length;
    home.write({ 'policies/policy.csv': POLICIES[next] ?? '', 'policies/limits.yaml': LIMITS[next] ?? '' });
    if (phase === 1) await home.run(['keys', 'revoke', String(keys[4]?.slice(4, 20))]);
    await load;
    await until(() => ledgerOf(home).filter(({ kind }) => kind === 'policy.applied').length > applied);
  }
  for (const agent of agents) agent.close();
  await served.stop();
}

function countCalls(): number {
  const database = openLedgerDatabase(home);
  const sql = "SELECT count(*) AS calls FROM entry WHERE kind IN ('call.admitted', 'call.refused')";
  const { calls } = database.prepare(sql).get() as { calls: number };
  database.close();
  return calls;
}

test('every recorded call is decided again as it was decided first', async () => {
  const { code, stdout, stderr } = await home.run(['replay', 'decide', '--output', 'json']);
  const report = JSON.parse(stdout);
  process.stderr.write(`replayed: ${report.calls} calls, ${report.decisions} decisions\n`);
  expect({ ...report, code, stderr }).toMatchObject({
    ...{ code: 0, stderr: '', differenceCount: 0, differences: [], missing: [], undecidable: 0 },
  });
  expect(report.calls).toBeGreaterThanOrEqual(CALLS);
});

test('among the recorded calls is every kind of answer, under three revisions', () => {
  const ledger = ledgerOf(home);
  const said = new Set(ledger.map(({ entry }) => `${entry.kind} ${entry.reason ?? entry.outcome ?? ''}`.trim()));
  expect([...said]).toEqual(
    expect.arrayContaining([
      ...['call.admitted', 'call.closed completed', 'call.closed output-invalid', 'call.refused policy-denied'],
      ...['call.refused rate-exceeded', 'call.refused budget-exhausted', 'call.refused concurrency-exceeded'],
      ...['call.refused arguments-invalid', 'call.refused unknown-tool', 'key.revoked', 'policy.applied'],
    ]),
  );
  const calls = ledger.filter(({ kind }) => kind === 'call.admitted' || kind === 'call.refused');
  expect(new Set(calls.map(({ entry }) => entry.revision)).size).toBe(3);
  expect(new Set(calls.map(({ entry }) => entry.principal)).size).toBe(5);
});

/** Facts that decide, and how a forger would change them. */
const FORGERIES: readonly {
  readonly what: string;
  readonly kind: string;
  readonly reason?: string;
  readonly from: RegExp;
  readonly to: string;
}[] = [
  { what: 'the outcome of a condition', kind: 'call.admitted', from: /("cel:[0-9a-f]+":)"true"/, to: '$1"false"' },
  {
    what: 'the calls under way',
    kind: 'call.refused',
    reason: 'concurrency-exceeded',
    from: /"inUse":[1-9]\d*/,
    to: '"inUse":0',
  },
  {
    what: 'the backlog of a rate',
    kind: 'call.refused',
    reason: 'rate-exceeded',
    from: /"aheadUs":[1-9]\d*/g,
    to: '"aheadUs":0',
  },
  {
    what: 'what a budget has used',
    kind: 'call.refused',
    reason: 'budget-exhausted',
    from: /"usedNanoUsd":\d+/g,
    to: '"usedNanoUsd":0',
  },
  {
    what: 'where the arguments failed',
    kind: 'call.refused',
    reason: 'arguments-invalid',
    from: /"errors":\[\{[^\]]*\]/,
    to: '"errors":[]',
  },
  { what: 'where the result failed', kind: 'call.closed', from: /"errors":\[\{[^\]]*\]/, to: '"errors":[]' },
  { what: 'who called', kind: 'call.admitted', from: /"subjects":\[[^\]]*\]/, to: '"subjects":["agent:unknown"]' },
];

describe.each(FORGERIES)('a forger who changes $what', ({ kind, from, to, reason }) => {
  const toForge = (): LedgerRow => {
    const row = ledgerOf(home).find(
      ({ kind: found, body, entry }) =>
        found === kind && (reason === undefined || entry.reason === reason) && body.search(from) >= 0,
    );
    if (!row) throw new Error('there is no entry to forge');
    return row;
  };

  test('is found by the hash, and the call is named', () => {
    const row = toForge();
    const differences = withBody(row, forgedBody(row.body, from, to), { rehash: false });
    expect(differences[0]).toEqual({ callId: row.entry.callId, seq: row.seq, kind: 'body-changed' });
    expect(new Set(differences.map(({ callId }) => callId))).toEqual(new Set([row.entry.callId]));
  });

  test('is found by the decision when the hash is made again as well', () => {
    const row = toForge();
    const differences = withBody(row, forgedBody(row.body, from, to), { rehash: true });
    expect(differences[0]).toMatchObject({ callId: row.entry.callId, kind: 'decision' });
    expect(new Set(differences.map(({ callId }) => callId))).toEqual(new Set([row.entry.callId]));
  });
});

test('the command ends with 4 and says which call a forged fact is of', async () => {
  const row = ledgerOf(home).find(({ entry }) => entry.reason === 'arguments-invalid');
  if (!row) throw new Error('there is no entry to forge');
  put(row.seq, forgedBody(row.body, /"errors":\[\{[^\]]*\]/, '"errors":[]'), leafHash(row.body));
  const { code, stdout } = await home.run(['replay', 'decide']);
  put(row.seq, row.body, leafHash(row.body));
  expect([code, stdout]).toEqual([4, expect.stringContaining(`"callId":"${row.entry.callId}"`)]);
});

function forgedBody(body: string, from: RegExp, to: string): string {
  const forged = body.replace(from, to);
  return to.includes('usedNanoUsd') ? forged.replaceAll(/"usedCalls":\d+/g, '"usedCalls":0') : forged;
}

/** Replays with one body forged, and puts the true one back. */
function withBody({ seq, body }: LedgerRow, forged: string, { rehash }: { rehash: boolean }): readonly Difference[] {
  put(seq, forged, leafHash(rehash ? forged : body));
  const { differences } = replayLedger(settingsFrom({ flags: { data: home.path('data') }, env: {} }));
  put(seq, body, leafHash(body));
  return differences;
}

function put(seq: number, body: string, leaf: Uint8Array): void {
  const database = openLedgerDatabase(home);
  database.prepare('UPDATE entry SET body = ?, leaf = ? WHERE seq = ?').run(body, leaf, seq);
  database.close();
}
