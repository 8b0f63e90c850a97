import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as CasbinModule from 'casbin';
import { afterEach, describe, expect, vi } from 'vitest';
import { ComposedBroker } from '../../../fixtures/composed-broker.ts';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { governedHome, ledgerOf, until, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import type { Home } from '../../../fixtures/homes/home.ts';

const casbin = createRequire(import.meta.url)('casbin') as typeof CasbinModule;
const ALLOW = 'p, agent:demo, tool:tools/echo, call, , allow\n';
const CONDITIONAL = 'p, agent:demo, tool:tools/echo, call, "args.nonce != \'no\'", allow\n';

describe('the daemon lets 0 calls pass', () => {
  let home: Home;
  afterEach(() => home.close());

  const listAndCall = async (url: string): Promise<unknown> => {
    const agent = new WireAgent(url, await home.key('demo'));
    const answers = [await agent.tools(), (await agent.call('tools__echo', { nonce: 'a' })).text];
    agent.close();
    return answers;
  };
  const NOTHING = [[], 'Unknown tool: tools__echo'];
  const admitted = (): number => ledgerOf(home).filter(({ kind }) => kind === 'call.admitted').length;

  verifies('A1').each([
    ['an empty policy', ''],
    ['a policy of comments', '# no agent may do anything\n\n'],
    ['a policy that speaks of others', 'p, agent:other, tool:*, call, , allow\n'],
    ['a policy that speaks of other acts', 'p, agent:demo, tool:*, read, , allow\n'],
    ['a policy that only denies', 'p, agent:demo, tool:*, call, , deny\n'],
  ])('with %s', async (_what, policy) => {
    home = governedHome({ policy, agents: { demo: '', other: '' } });
    const served = await home.serve();
    expect(await listAndCall(served.url)).toEqual(NOTHING);
    expect(admitted()).toBe(0);
  });

  verifies('A1')('without a directory of policies', async () => {
    home = governedHome();
    rmSync(home.path('policies'), { recursive: true });
    const served = await home.serve();
    expect(await listAndCall(served.url)).toEqual(NOTHING);
    expect(admitted()).toBe(0);
  });

  verifies('A1').each([
    ['the directory of policies is removed', () => rmSync(home.path('policies'), { recursive: true })],
    ['the policy is emptied', () => home.write({ 'policies/policy.csv': '' })],
  ])('once %s while it runs', async (_what, takeBack) => {
    home = governedHome({ policy: ALLOW });
    const served = await home.serve();
    expect(await listAndCall(served.url)).toEqual([['tools__echo'], 'a']);
    takeBack();
    await until(() => served.printed().includes('policy.applied'));
    expect(await listAndCall(served.url)).toEqual(NOTHING);
    expect(admitted()).toBe(1);
  });

  verifies('A1')('of an agent that no file declares any more', async () => {
    home = governedHome({ policy: 'p, agent:*, tool:*, call, , allow\n', agents: { demo: '', gone: '' } });
    const served = await home.serve();
    const gone = new WireAgent(served.url, await home.key('gone'));
    expect((await gone.call('tools__echo', { nonce: 'a' })).text).toBe('a');
    rmSync(home.path('registry/agents/gone.yaml'));
    await until(() => served.printed().includes('registry.applied'));
    expect((await gone.ask('tools/list')).status).toBe(401);
    gone.close();
  });

  verifies('A1')('before a policy that cannot be read: it does not start', async () => {
    home = governedHome({ policy: 'p, agent:demo, tool:*, call, , alow\n' });
    const { code, stderr } = await home.run(['serve', '--port', '0']);
    expect(code).toBe(2);
    expect(stderr).toContain(`${home.path('policies/policy.csv')}:1:32: `);
  });

  verifies('A1')(
    'that the policy in force did not allow, when a broken file comes: the old one stays, and that is said and recorded',
    async () => {
      home = governedHome({ policy: ALLOW });
      const served = await home.serve();
      home.write({ 'policies/policy.csv': 'p, agent:demo, tool:*, call, , allow, more\n' });
      await until(() => ledgerOf(home).some(({ kind }) => kind === 'policy.rejected'));
      await until(() => served.printed().includes('reload.refused'));
      expect(await listAndCall(served.url)).toEqual([['tools__echo'], 'a']);
      const [rejected] = ledgerOf(home).filter(({ kind }) => kind === 'policy.rejected');
      expect(rejected?.entry.detail).toMatchObject({ problems: [{ at: `${home.path('policies/policy.csv')}:1:39` }] });
    },
  );
});

describe('when Casbin throws', () => {
  let broker: ComposedBroker;
  afterEach(() => {
    vi.restoreAllMocks();
    broker.close();
  });

  verifies('A1').each([
    ['a plain grant', ALLOW],
    ['a grant under a condition', CONDITIONAL],
  ])('0 calls pass under %s, and the next one after it passes again', async (_what, csv) => {
    broker = new ComposedBroker({
      agents: { demo: undefined },
      tools: { tools: ['echo'] },
      inputSchema: { type: 'object' },
    });
    await broker.open();
    const broken = vi.spyOn(casbin.Enforcer.prototype, 'enforceExSync').mockImplementation(() => {
      throw new Error('a defect of the engine');
    });
    await broker.putInForce(csv);
    const outcomes = await Promise.all([1, 2, 3].map((nonce) => broker.callAs('demo', 'tools__echo', { nonce })));
    expect(outcomes.map((outcome) => outcome.kind === 'refused' && outcome.effect)).toEqual([
      ...['indeterminate', 'indeterminate', 'indeterminate'],
    ]);
    expect(broken).toHaveBeenCalled();
    expect(broker.dispatched).toEqual([]);
    expect(broker.refused).toHaveLength(3);
    broken.mockRestore();
    await broker.putInForce(`${csv}# once more\n`);
    expect((await broker.callAs('demo', 'tools__echo', { nonce: 4 })).kind).toBe('completed');
  });
});
