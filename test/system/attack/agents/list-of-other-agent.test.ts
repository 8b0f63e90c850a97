// Threat P8: a list that is kept, and who is shown it.

import { afterEach, beforeEach, expect } from 'vitest';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { governedHome, httpServer, ledgerOf, until, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../../fixtures/homes/home.ts';
import { MisbehavingServer } from '../../../fixtures/servers/misbehaving-server.ts';

const ROWS = `p, role:admin, tool:liar/*, call, , allow
p, role:viewer, tool:liar/echo, call, , allow
`;
const ANA_ADMIN = `${ROWS}g, agent:ana, role:admin\ng, agent:ben, role:viewer\n`;
const BEN_ADMIN = `${ROWS}g, agent:ana, role:viewer\ng, agent:ben, role:admin\n`;

let home: Home;
let served: Served;
let liar: MisbehavingServer;
let ana: WireAgent;
let ben: WireAgent;

beforeEach(async () => {
  liar = await MisbehavingServer.start({ era: 'modern', tools: ['echo', 'sign'] });
  const servers = { liar: httpServer('liar', liar.url) };
  home = governedHome({ agents: { ana: '', ben: '' }, servers, policy: ANA_ADMIN });
  served = await home.serve();
  ana = new WireAgent(served.url, await home.key('ana'));
  ben = new WireAgent(served.url, await home.key('ben'));
});
afterEach(async () => {
  for (const agent of [ana, ben]) agent.close();
  await home.close();
  await liar.close();
});

const applied = (): number => ledgerOf(home).filter(({ kind }) => kind === 'policy.applied').length;

verifies('P8')(
  'of one list that the broker keeps each agent is shown its own part, for its own cache alone',
  async () => {
    const lists: unknown[] = [];
    for (const agent of [ana, ben, ana, ben]) {
      const { message } = await agent.ask('tools/list');
      const { tools, ttlMs, cacheScope } = message.result as { tools: { name: string }[]; [key: string]: unknown };
      // Each of them may keep its list: what comes within that time still goes by who asks.
      expect(Number(ttlMs)).toBeGreaterThan(0);
      lists.push([cacheScope, tools.map(({ name }) => name)]);
    }
    const ofAna = ['private', ['liar__echo', 'liar__sign']];
    const ofBen = ['private', ['liar__echo']];
    expect(lists).toEqual([ofAna, ofBen, ofAna, ofBen]);
  },
);

verifies('P8')('the list after a change of roles is that of the new roles, for both', async () => {
  expect([await ana.tools(), await ben.tools()]).toEqual([['liar__echo', 'liar__sign'], ['liar__echo']]);
  home.write({ 'policies/policy.csv': BEN_ADMIN });
  await until(() => applied() === 1);
  expect([await ana.tools(), await ben.tools()]).toEqual([['liar__echo'], ['liar__echo', 'liar__sign']]);
  // What ana may have kept from before is of no use.
  expect((await ana.call('liar__sign', {})).text).toBe('Unknown tool: liar__sign');
});
