import { rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  ALLOW_ALL,
  governedHome,
  ledgerOf,
  processServer,
  until,
  WireAgent,
} from '../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';
import { scaled } from '../../fixtures/scale.ts';

let home: Home;
let served: Served;
let agent: WireAgent;

beforeEach(async () => {
  home = governedHome({ agents: { demo: '', other: '' } });
  served = await home.serve();
  agent = new WireAgent(served.url, await home.key('demo'));
});

afterEach(async () => {
  agent.close();
  await home.close();
});

const recorded = (kind: string): number => ledgerOf(home).filter((row) => row.kind === kind).length;
const revisions = (): ReadonlySet<string | null> =>
  new Set(
    ledgerOf(home)
      .filter(({ kind }) => kind.startsWith('call.'))
      .map(({ entry }) => entry.revision),
  );

/** Calls without pause until it is stopped; returns the outcome of each call. */
function underLoad(agents: readonly WireAgent[]): { stop(): Promise<readonly string[]> } {
  let isOn = true;
  const ends: string[] = [];
  const loops = agents.map(async (each) => {
    while (isOn) {
      const { isError, text } = await each.call('tools__echo', { nonce: 'n' });
      ends.push(isError ? text : 'completed');
    }
  });
  return {
    stop: async () => {
      isOn = false;
      await Promise.all(loops);
      return ends;
    },
  };
}

test('a policy that is broken while calls run changes nothing but the alarm', async () => {
  const load = underLoad([agent, agent]);
  await until(() => recorded('call.closed') > 5);
  home.write({ 'policies/policy.csv': `${ALLOW_ALL}p, agent:demo, tool:*, call, , denny\n` });
  await until(() => recorded('policy.rejected') === 1);
  const before = recorded('call.closed');
  await until(() => recorded('call.closed') > before + 5);
  expect(new Set(await load.stop())).toEqual(new Set(['completed']));
  expect(revisions().size).toBe(1);
  expect(recorded('policy.applied')).toBe(0);
  await until(() => /ERROR reload\.refused .*policy\.csv:2:\d+: unknown effect `denny`/.test(served.printed()));
});

test('a broken policy is refused once, and applied when it is corrected', async () => {
  home.write({ 'policies/policy.csv': 'p, agent:demo' });
  await until(() => recorded('policy.rejected') === 1);
  home.write({ 'policies/policy.csv': 'p, agent:other, tool:*, call, , allow\n' });
  await until(() => recorded('policy.applied') === 1);
  expect(await agent.tools()).toEqual([]);
  expect(recorded('policy.rejected')).toBe(1);
});

test('a policy under which a policy test fails is not taken', async () => {
  home.write({ 'policies/tests/demo.yaml': '- as: agent:demo\n  may:\n    - call tool:tools/echo\n' });
  home.write({ 'policies/policy.csv': 'p, agent:other, tool:*, call, , allow\n' });
  await until(() => recorded('policy.rejected') > 0);
  expect((await agent.call('tools__echo', { nonce: 'n' })).isError).toBe(false);
  await until(() => served.printed().includes('policies/tests/demo.yaml:3:'));
  expect(recorded('policy.applied')).toBe(0);
});

test('a registry file that is broken while calls run changes nothing but the alarm', async () => {
  home.write({ 'registry/servers/tools.yaml': 'name: tools\ntransprt: {}\n' });
  await until(() => recorded('registry.rejected') === 1);
  expect((await agent.call('tools__echo', { nonce: 'n' })).isError).toBe(false);
  await until(() => /ERROR reload\.refused .*servers\/tools\.yaml:2:1/.test(served.printed()));
});

async function readyz(): Promise<unknown> {
  return (await fetch(`${served.url}/readyz`)).json();
}

test('a server that is removed and declared again is discovered before its first call', async () => {
  rmSync(home.path('registry/servers/tools.yaml'));
  await until(() => recorded('registry.applied') === 1);
  expect(await agent.tools()).toEqual([]);
  home.write({ 'registry/servers/tools.yaml': processServer('tools', { env: { TOOLS: 'lookup,echo' } }) });
  await until(() => recorded('registry.applied') === 2);
  await expect.poll(readyz, { timeout: 20_000 }).toMatchObject({ servers: { ready: ['tools'] } });
  expect(await agent.tools()).toEqual(['tools__echo', 'tools__lookup']);
});

test('a server whose transport changes is discovered again', async () => {
  home.write({ 'registry/servers/tools.yaml': processServer('tools', { env: { TOOLS: 'lookup' } }) });
  await until(() => recorded('registry.applied') === 1);
  await expect.poll(() => agent.tools(), { timeout: 20_000 }).toEqual(['tools__lookup']);
  expect(await readyz()).toMatchObject({ servers: { ready: ['tools'] } });
});

test.each([
  ['the policy file is emptied', () => home.write({ 'policies/policy.csv': '' })],
  ['the policy directory is taken away', () => rmSync(home.path('policies'), { recursive: true })],
])('where %s nothing is allowed any more', async (_, takeAway) => {
  takeAway();
  await until(() => recorded('policy.applied') === 1);
  expect(await agent.tools()).toEqual([]);
  expect((await agent.call('tools__echo', { nonce: 'n' })).text).toBe('Unknown tool: tools__echo');
});

test('an agent whose file is removed is not authenticated, whatever key it has', async () => {
  rmSync(home.path('registry/agents/demo.yaml'));
  await until(() => recorded('registry.applied') === 1);
  expect((await agent.call('tools__echo', { nonce: 'n' })).status).toBe(401);
});

test('a revoked key is refused from the moment the command has ended', async () => {
  const id = /^sen_([0-9a-f]{16})_/.exec(await home.key('demo'))?.[1] ?? '';
  const { stdout } = await home.run(['keys', 'list', '--output', 'json']);
  const first = (JSON.parse(stdout) as { id: string }[]).map((key) => key.id).find((each) => each !== id) ?? '';
  const load = underLoad([agent, agent]);
  await until(() => recorded('call.closed') > 5);
  expect((await home.run(['keys', 'revoke', first])).code).toBe(0);
  const settled = ledgerOf(home).length;
  expect((await agent.call('tools__echo', { nonce: 'n' })).status).toBe(401);
  await load.stop();
  const late = ledgerOf(home).slice(settled);
  expect(late.filter(({ kind }) => kind === 'call.admitted')).toEqual([]);
});

test('every entry of a call carries one revision, and decides as it says, however often the policy changes', async () => {
  const reloads = scaled({ small: 10, full: 100 });
  const other = new WireAgent(served.url, await home.key('other'));
  const load = underLoad([agent, agent, agent, other]);
  for (let turn = 1; turn <= reloads; turn += 1) {
    const subject = turn % 2 === 0 ? 'agent:*' : 'agent:other';
    home.write({ 'policies/policy.csv': `# ${turn}\np, ${subject}, tool:*, call, , allow\n` });
    await until(() => served.printed().split(' policy.applied ').length - 1 === turn);
  }
  const ends = new Set(await load.stop());
  other.close();
  expect(ends).toEqual(new Set(['completed', 'Unknown tool: tools__echo']));
  await served.stop();
  const ofCalls = new Map<string, Set<string | null>>();
  for (const { entry } of ledgerOf(home)) {
    if (entry.callId !== undefined)
      ofCalls.set(entry.callId, (ofCalls.get(entry.callId) ?? new Set()).add(entry.revision));
  }
  expect([...ofCalls.values()].filter(({ size }) => size !== 1)).toEqual([]);
  expect(revisions().size).toBeGreaterThan(reloads / 2);
  const replayed = await home.run(['replay', 'decide', '--output', 'json']);
  expect(JSON.parse(replayed.stdout)).toMatchObject({ differenceCount: 0, undecidable: 0, missing: [] });
  expect(replayed.code).toBe(0);
}, 600_000);
