import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json/json.ts';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { type Answered, governedHome, ledgerOf, until, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../../fixtures/homes/home.ts';
import { ANSWERS_FORMS, askingProcess } from '../../../fixtures/servers/eliciting-server.ts';

const SERVERS = ['legacy', 'modern'] as const;
const POLICY = SERVERS.flatMap((server) =>
  ['ana', 'ben'].map(
    (agent) =>
      `p, agent:${agent}, tool:${server}/*, call, , allow\np, agent:${agent}, server:${server}, elicit, , allow\n`,
  ),
).join('');
const ANSWER = { action: 'accept', content: { name: 'Ana' } };

let home: Home;
let served: Served;
let ana: WireAgent;
let ben: WireAgent;

beforeAll(async () => {
  home = governedHome({
    agents: { ana: '', ben: '' },
    policy: POLICY,
    servers: { legacy: askingProcess('legacy', 'legacy'), modern: askingProcess('modern', 'modern') },
  });
  const rename = Object.fromEntries(SERVERS.map((server) => [`${server}__ask`, `${server}/ask`]));
  for (const name of ['same', 'other']) {
    home.write({ [`registry/virtual/${name}.yaml`]: JSON.stringify({ name, tools: { rename } }) });
  }
  const [anaKey, benKey] = [await home.key('ana'), await home.key('ben')];
  served = await home.serve({ args: ['--question-expiry', '2s', '--waiting-calls', '3'] });
  ana = new WireAgent(served.url, anaKey);
  ben = new WireAgent(served.url, benKey);
  await until(async () => (await ana.tools()).length === 2);
});

afterAll(async () => {
  ana.close();
  ben.close();
  await home.close();
});

function call(agent: WireAgent, name: string, more: object = {}): Promise<Answered> {
  const params = { name, arguments: { kind: 'form' }, _meta: ANSWERS_FORMS, ...more };
  return agent.ask('tools/call', params, { name });
}

interface Asked {
  readonly state: string;
  /** The one question, under its name. */
  readonly key: string;
}

async function ask(agent: WireAgent, name: string): Promise<Asked> {
  const { result } = (await call(agent, name)).message;
  const { requestState, inputRequests } = result as { requestState: string; inputRequests: JsonObject };
  return { state: requestState, key: Object.keys(inputRequests)[0] ?? '' };
}

function goOn(agent: WireAgent, name: string, { state, key }: Asked, more: object = {}): Promise<Answered> {
  return call(agent, name, { requestState: state, inputResponses: { [key]: ANSWER }, ...more });
}

const REFUSED =
  '200 {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Invalid params: `requestState` is not valid for this request"}}';

/** How many questions expired so far. */
function unanswered(): number {
  return ledgerOf(home).filter(({ entry }) => entry.reason === 'question-unanswered').length;
}

verifies('P6').each(SERVERS)(
  'a state of the %s server that is changed, another’s, used or too old is refused in the same bytes',
  async (server) => {
    const tool = `${server}__ask`;
    const asked = await ask(ana, tool);
    const flipped = asked.state.startsWith('A') ? `B${asked.state.slice(1)}` : `A${asked.state.slice(1)}`;
    const refusals = [
      await goOn(ana, tool, { ...asked, state: flipped }),
      await goOn(ana, tool, { ...asked, state: 'of no kind' }),
      await goOn(ben, tool, asked),
      await goOn(ana, server === 'legacy' ? 'modern__ask' : 'legacy__ask', asked),
      await goOn(ana, tool, asked, { arguments: { kind: 'form', url: 'x' } }),
    ];
    expect((await goOn(ana, tool, asked)).text).toContain('"name\\":\\"Ana'.replaceAll('\\', ''));
    refusals.push(await goOn(ana, tool, asked));
    const before = unanswered();
    const expiring = await ask(ana, tool);
    await until(() => unanswered() > before);
    refusals.push(await goOn(ana, tool, expiring));
    expect(refusals.map(({ status, body }) => `${status} ${body}`)).toEqual(refusals.map(() => REFUSED));
  },
);

verifies('P6', 'P7').each(SERVERS)(
  'a state of the %s server that was given on one view is refused on every other',
  async (server) => {
    const key = await home.key('ana');
    const views = [
      { path: '/mcp', name: `${server}__ask` },
      { path: `/servers/${server}/mcp`, name: 'ask' },
      // Under the very name that it has in the whole.
      { path: '/v/same/mcp', name: `${server}__ask` },
      { path: '/v/other/mcp', name: `${server}__ask` },
    ].map((view) => ({ ...view, agent: new WireAgent(`${served.url}${view.path}`, key) }));
    for (const { agent, name } of views) await until(async () => (await agent.tools()).includes(name));
    const refusals: string[] = [];
    for (const given of views) {
      const asked = await ask(given.agent, given.name);
      for (const { agent, name } of views.filter((view) => view !== given)) {
        const { status, body } = await goOn(agent, name, asked);
        refusals.push(`${status} ${body}`);
      }
      expect((await goOn(given.agent, given.name, asked)).text).toContain('"name":"Ana"');
    }
    for (const { agent } of views) agent.close();
    expect(refusals).toEqual(Array.from({ length: 12 }, () => REFUSED));
  },
);

verifies('P6')('the record says of each refused state what it was', () => {
  const refused = ledgerOf(home)
    .map(({ entry }) => entry)
    .filter(({ kind, reason }) => kind === 'call.refused' && reason === 'request-state-invalid');
  const states = refused.map(({ steps }) => (steps as { facts: { state?: string } }[]).at(-1)?.facts.state);
  expect(new Set(states)).toEqual(new Set(['unreadable', 'foreign', 'spent', 'expired']));
});

verifies('P6').each(SERVERS)('a resumed call of the %s server passes every control again', async (server) => {
  const tool = `${server}__ask`;
  const asked = await ask(ana, tool);
  home.write({ 'policies/policy.csv': `${POLICY}p, agent:ana, tool:${server}/ask, call, , deny\n` });
  await until(async () => !(await ana.tools()).includes(tool));
  expect((await goOn(ana, tool, asked)).text).toBe(`Unknown tool: ${tool}`);
  home.write({ 'policies/policy.csv': POLICY });
  await until(async () => (await ana.tools()).includes(tool));
});

test('more calls than may wait do not wait, and others may', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => call(ana, 'modern__ask')));
  const refused = answers.filter(({ text }) => text.includes('too many calls are waiting for input'));
  expect(refused.length).toBeGreaterThanOrEqual(5);
  expect((await ask(ben, 'modern__ask')).state).not.toBe('');
});

verifies('P6')('a state of a broker that was started anew since is refused', async () => {
  const asked = await ask(ben, 'modern__ask');
  const port = Number(new URL(served.url).port);
  await served.stop();
  served = await home.serve({ port });
  await until(async () => (await ben.tools()).length === 2);
  expect((await goOn(ben, 'modern__ask', asked)).text).toBe(
    'Invalid params: `requestState` is not valid for this request',
  );
});
