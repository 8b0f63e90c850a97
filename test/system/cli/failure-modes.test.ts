import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FAILURE_MODES } from '../../../src/app/queries/failure-modes.ts';
import { modernCall, send } from '../../fixtures/clients/raw-http.ts';
import { governedHome, ledgerOf, processServer, until, WireAgent } from '../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';

const POLICY =
  'p, agent:*, tool:tools/*, call, , allow\np, agent:*, tool:vault/*, call, , allow\np, agent:demo, tool:tools/lookup, call, , deny\n';
const LIMITS = `rates:
  - { subject: agent:fast, resource: "tool:*", limit: 1/h, burst: 1 }
concurrency:
  - { subject: agent:busy, resource: "tool:*", limit: 1 }
budgets:
  - { subject: agent:poor, resource: "tool:*", window: month, hard: { calls: 1 } }
`;
const AGENTS = ['demo', 'fast', 'busy', 'poor'] as const;

let home: Home;
let served: Served;
const agents = new Map<string, WireAgent>();

beforeAll(async () => {
  const secret = { TOKEN: `$\{env:TEST_TOKEN}`, TOOLS: 'echo' };
  home = governedHome({
    agents: Object.fromEntries(AGENTS.map((name) => [name, ''])),
    servers: { tools: processServer('tools'), vault: processServer('vault', { env: secret }) },
    policy: POLICY,
    limits: LIMITS,
  });
  // Once with its secret, so that the tools of the server are known and pinned.
  await (await home.serve({ env: { TEST_TOKEN: 'hidden' } })).stop();
  served = await home.serve();
  for (const name of AGENTS) agents.set(name, new WireAgent(served.url, await home.key(name)));
});

afterAll(async () => {
  for (const agent of agents.values()) agent.close();
  await home.close();
});

async function reasonOf(agent: string, tool: string, args: object = {}): Promise<string | undefined> {
  return (await agents.get(agent)?.call(tool, args))?.reason;
}

async function statusOf(headers: Readonly<Record<string, string>>, body?: string): Promise<string> {
  const call = modernCall('tools__echo', { nonce: 'n' });
  const port = Number(new URL(served.url).port);
  return `HTTP ${(await send(port, { headers: { ...call.headers, ...headers }, body: body ?? call.body })).status}`;
}

const printedCode = (stderr: string): string | undefined => /\(([a-z-]+)\)\nhint: /.exec(stderr)?.[1];

/** The kind of the entry that a reload writes for an invalid file; the file is restored afterwards. */
async function rejected(path: string, wrong: string): Promise<string | undefined> {
  const before = ledgerOf(home).length;
  const right = readFileSync(home.path(path), 'utf8');
  home.write({ [path]: wrong });
  const found = (): string | undefined =>
    ledgerOf(home)
      .slice(before)
      .find(({ kind }) => kind.endsWith('.rejected'))?.kind;
  await until(() => found() !== undefined);
  home.write({ [path]: right });
  return found();
}

/** How each guard is made to fail, and what comes of it. */
const BROKEN: Readonly<Record<string, () => Promise<string | undefined>>> = {
  'data directory': async () => printedCode((await home.run(['serve', '--port', '0'])).stderr),
  'listening address': async () =>
    printedCode((await home.run(['serve', '--port', '0', '--host', '0.0.0.0', '--data', home.path('other')])).stderr),
  'policy load': () => rejected('policies/policy.csv', 'p, agent:demo, tool:*, call, , denny\n'),
  'registry load': () => rejected('registry/agents/demo.yaml', 'name: demo\n'),
  host: () => statusOf({ host: 'evil.example' }),
  origin: () => statusOf({ origin: 'https://evil.example' }),
  'authentication over HTTP': () => statusOf({ authorization: `Bearer sen_0123456789abcdef_${'A'.repeat(43)}` }),
  body: async () => {
    const answered = await agents.get('demo')?.post(Buffer.alloc(8_000_000, 0x20), {});
    return `HTTP ${answered?.status}`;
  },
  'authentication on the socket': async () => printedCode((await home.run(['stdio', '--agent', 'unknown'])).stderr),
  'resolving a name': async () => {
    const answered = await agents.get('demo')?.call('tools__nosuch');
    expect(answered?.message.error).toMatchObject({ code: -32602 });
    return ledgerOf(home).at(-1)?.entry.reason;
  },
  rate: async () => {
    await reasonOf('fast', 'tools__echo', { nonce: 'a' });
    return reasonOf('fast', 'tools__echo', { nonce: 'b' });
  },
  authorization: async () => {
    await agents.get('demo')?.call('tools__lookup');
    return ledgerOf(home).at(-1)?.entry.reason;
  },
  arguments: () => reasonOf('demo', 'tools__echo', { nonce: 7 }),
  concurrency: async () => {
    const before = ledgerOf(home).length;
    const slow = agents.get('busy')?.call('tools__slow', { nonce: 'a', ms: 3_000 });
    await until(() => ledgerOf(home).length > before);
    const reason = await reasonOf('busy', 'tools__slow', { nonce: 'b' });
    await slow;
    return reason;
  },
  budget: async () => {
    await reasonOf('poor', 'tools__echo', { nonce: 'a' });
    return reasonOf('poor', 'tools__echo', { nonce: 'b' });
  },
  results: () => reasonOf('demo', 'tools__invalid_output'),
  'result size': () => reasonOf('demo', 'tools__huge'),
  secrets: () => reasonOf('demo', 'vault__echo', { nonce: 'n' }),
};

/** Where a guard is broken by a test of its own, what that test expects, word for word. */
const BROKEN_ELSEWHERE: Readonly<Record<string, readonly [file: string, expects: string]>> = {
  connections: [
    'test/attack/http/request-smuggling.test.ts',
    'beyond the connection limit of an address a new connection is',
  ],
  'pipelined requests': [
    'test/wire/ingress/http-pipelining.test.ts',
    'a connection with too many pipelined requests is closed',
  ],
  'resolving a prompt': ['test/system/calls/prompts-and-resources.test.ts', "'unknown-prompt'"],
  'resolving a URI': ['test/system/calls/prompts-and-resources.test.ts', "'unknown-resource'"],
  'calls under way': ['test/unit/broker/pipeline.test.ts', "'overloaded'"],
  subscriptions: ['test/attack/access/subscription-outlives-grant.test.ts', "'subscriptions-exceeded'"],
  pins: ['test/unit/registry/catalog.test.ts', "'unpinned: it is not in `registry.lock`'"],
  drift: ['test/system/calls/tool-drift.test.ts', "'tool-drifted'"],
  'tool schemas': ['test/attack/access/schema-bomb.test.ts', "'quarantined'"],
  'rate store': ['test/unit/limits/rate.test.ts', 'rate counters are in use'],
  'budget store': ['test/unit/limits/budget.test.ts', 'budget counters are in use'],
  'parameter headers': ['test/system/attack/servers/param-header-injection.test.ts', '[400, -32020]'],
  breaker: ['test/system/calls/failing-server.test.ts', "'upstream-unavailable'"],
  controls: ['test/unit/broker/pipeline.test.ts', "'control-failed'"],
  ledger: ['test/system/recovery/disk-full.test.ts', "'ledger-unavailable'"],
  'input requests': ['test/system/attack/servers/server-reads-other-context.test.ts', "'elicit question-blocked'"],
  capabilities: ['test/system/interop/input-requests-of-real-servers.test.ts', "'capability-missing'"],
  'input responses': [
    'test/system/attack/servers/server-reads-other-context.test.ts',
    'the input response is not passed on',
  ],
  'request state': ['test/system/attack/agents/request-state-tampering.test.ts', "'request-state-invalid'"],
  'waiting calls': [
    'test/system/attack/agents/request-state-tampering.test.ts',
    'too many calls are waiting for input',
  ],
};

test('every guard is broken by a test', () => {
  expect(FAILURE_MODES.map(({ control: guard }) => guard).sort()).toEqual(
    [...Object.keys(BROKEN), ...Object.keys(BROKEN_ELSEWHERE)].sort(),
  );
});

test.each(Object.entries(BROKEN))('%s fails closed, and as it says', async (guard, breakIt) => {
  const row = FAILURE_MODES.find((each) => each.control === guard);
  expect(await breakIt()).toBe(row?.result);
});

test.each(Object.entries(BROKEN_ELSEWHERE))(
  '%s is broken by a test that expects what it says',
  (_guard, [file, expects]) => {
    expect(readFileSync(resolve(import.meta.dirname, '../../..', file), 'utf8')).toContain(expects);
  },
);

test('the command prints every row', async () => {
  const { code, stdout } = await home.run(['posture', '--output', 'json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual(
    FAILURE_MODES.map(({ control, trigger, result, means, override }) => ({
      guard: control,
      when: trigger,
      yields: result,
      ...(means === undefined ? {} : { means }),
      opens: override,
    })),
  );
  const text = (await home.run(['posture'])).stdout;
  expect(text).toContain('rate: rate-exceeded\n  when   a matching rate is used up\n  opens  no row of ');
  expect(text).toContain('ledger: ledger-unavailable\n');
  expect(text.split('\n').filter((line) => line === '  opens  nothing').length).toBe(
    FAILURE_MODES.filter(({ override: opens }) => opens === null).length,
  );
});
