import { afterEach, expect } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { type Answered, governedHome, ledgerOf, until, WireAgent } from '../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';
import { ANSWERS_FORMS, askingProcess } from '../../fixtures/servers/eliciting-server.ts';

const POLICY = `p, agent:ana, tool:crm/*, call, , allow
p, agent:ana, server:crm, elicit, , allow
`;
const LIMITS = `budgets:
  - { subject: "agent:*", resource: "tool:crm/*", window: month, hard: { calls: 2 } }
`;

let home: Home;
afterEach(() => home.close());

/** Serves, and an agent that sees the tool. */
async function serve(key: string): Promise<{ readonly served: Served; readonly ana: WireAgent }> {
  const served = await home.serve();
  const ana = new WireAgent(served.url, key);
  await until(async () => (await ana.tools()).length === 1);
  return { served, ana };
}

function call(ana: WireAgent, more: object = {}): Promise<Answered> {
  const params = { name: 'crm__ask', arguments: { kind: 'form' }, _meta: ANSWERS_FORMS, ...more };
  return ana.ask('tools/call', params, { name: 'crm__ask' });
}

/** Leaves a question open. @returns what goes on with it. */
async function ask(ana: WireAgent): Promise<() => Promise<Answered>> {
  const { requestState, inputRequests } = (await call(ana)).message.result as JsonObject;
  const answer = { action: 'accept', content: { name: 'Ana' } };
  const inputResponses = { [Object.keys(inputRequests as JsonObject)[0] ?? '']: answer };
  return () => call(ana, { requestState, inputResponses });
}

/** How the calls of the tool ended, in order. */
function endings(): readonly string[] {
  return ledgerOf(home)
    .map(({ entry }) => entry)
    .filter(({ kind, target }) => kind === 'call.closed' && target === 'tool:crm/ask')
    .map(({ outcome, reason, costNanoUsd }) => `${outcome} ${reason ?? ''} ${Number(costNanoUsd)}`);
}

verifies('F2')(
  'killed while a call waits for an answer: the next start closes it, once, and it stays charged',
  async () => {
    const price = 'tools: { ask: { costUsd: "0.50" } }\n';
    const servers = { crm: askingProcess('crm', 'legacy', price) };
    home = governedHome({ agents: { ana: '' }, policy: POLICY, limits: LIMITS, servers });
    const key = await home.key('ana');
    const first = await serve(key);
    const goOn = await ask(first.ana);
    await ask(first.ana);
    expect((await goOn()).text).toContain('"name":"Ana"');
    await first.served.stop('SIGKILL');
    first.ana.close();
    const ended = ['input-required  0', 'input-required  0', 'completed  500000000', 'failed in-doubt 500000000'];
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      const { served, ana } = await serve(key);
      expect(endings()).toEqual(ended);
      expect((await call(ana)).text).toContain('monthly budget of 2 calls is exhausted');
      await served.stop(signal);
      ana.close();
    }
    const replayed = await home.run(['replay', 'decide', '--output', 'json']);
    expect(JSON.parse(replayed.stdout)).toMatchObject({ differenceCount: 0, missing: [] });
    const { stdout } = await home.run(['usage', '--by', 'tool', '--output', 'json']);
    const { rows } = JSON.parse(stdout) as { rows: readonly JsonObject[] };
    const used = { completed: 1, inDoubt: 1, usd: '1.00' };
    expect(rows.find(({ key: tool }) => tool === 'tool:crm/ask')).toMatchObject(used);
  },
);
