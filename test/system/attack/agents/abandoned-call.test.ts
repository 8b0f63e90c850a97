import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json/json.ts';
import { type Answered, governedHome, ledgerOf, until, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../../fixtures/homes/home.ts';
import { ANSWERS_FORMS, askingProcess, mayAsk } from '../../../fixtures/servers/eliciting-server.ts';

const SERVERS = ['pipes', 'granted', 'paid', 'narrow'] as const;
const POLICY = mayAsk('ana', SERVERS);
const LIMITS = `budgets:
  - { subject: "agent:*", resource: "tool:paid/*", window: month, hard: { calls: 2 } }
concurrency:
  - { subject: "agent:*", resource: "tool:narrow/*", limit: 1 }
`;
const STATE_REFUSED = 'Invalid params: `requestState` is not valid for this request';

let home: Home;
let served: Served;
let ana: WireAgent;

beforeAll(async () => {
  const servers = Object.fromEntries(SERVERS.map((server) => [server, askingProcess(server, 'legacy')]));
  home = governedHome({ agents: { ana: '' }, policy: POLICY, limits: LIMITS, servers });
  const key = await home.key('ana');
  served = await home.serve({ args: ['--question-expiry', '4s'] });
  ana = new WireAgent(served.url, key);
  await until(async () => (await ana.tools()).length === SERVERS.length);
});

afterAll(async () => {
  ana.close();
  await home.close();
});

function call(server: string, kind: string, more: object = {}): Promise<Answered> {
  const name = `${server}__ask`;
  return ana.ask('tools/call', { name, arguments: { kind }, _meta: ANSWERS_FORMS, ...more }, { name });
}

/** Leaves a question open. @returns what goes on with it. */
async function ask(server: string): Promise<() => Promise<Answered>> {
  const { result } = (await call(server, 'form')).message;
  const { requestState, inputRequests } = result as { requestState: string; inputRequests: JsonObject };
  const answer = { action: 'accept', content: { name: 'Ana' } };
  const inputResponses = { [Object.keys(inputRequests)[0] ?? '']: answer };
  return () => call(server, 'form', { requestState, inputResponses });
}

/** How the calls of a server's tool ended, in order. */
function endingsOf(server: string): readonly string[] {
  return ledgerOf(home)
    .map(({ entry }) => entry)
    .filter(({ kind, target }) => kind === 'call.closed' && target === `tool:${server}/ask`)
    .map(({ outcome, reason, inDoubt }) => `${String(outcome)} ${String(reason ?? '')} ${JSON.stringify(inDoubt)}`);
}

test('unanswered input requests never block a stdio server: the oldest call is preempted', async () => {
  const [first] = [await ask('pipes'), await ask('pipes'), await ask('pipes'), await ask('pipes')];
  expect((await call('pipes', 'none')).text).toContain('{"received":[]');
  expect((await first?.())?.text).toBe(STATE_REFUSED);
  const fifth = await ask('pipes');
  expect((await fifth()).text).toContain('"name":"Ana"');
});

test('a grant that is taken away ends the call that waits, also where it comes back', async () => {
  const goOn = await ask('granted');
  home.write({ 'policies/policy.csv': `${POLICY}p, agent:ana, tool:granted/ask, call, , deny\n` });
  await until(async () => !(await ana.tools()).includes('granted__ask'));
  expect((await goOn()).text).toBe('Unknown tool: granted__ask');
  await until(() => endingsOf('granted').length === 2);
  expect(endingsOf('granted')).toEqual(['input-required  false', 'failed cancelled true']);
  home.write({ 'policies/policy.csv': POLICY });
  await until(async () => (await ana.tools()).includes('granted__ask'));
  expect((await goOn()).text).toBe(STATE_REFUSED);
});

test('a budget holds the calls that wait, and is charged for the one that is never answered', async () => {
  const goOn = await ask('paid');
  await ask('paid');
  expect((await call('paid', 'form')).text).toContain('monthly budget of 2 calls is exhausted');
  expect((await goOn()).text).toContain('"name":"Ana"');
  await until(() => endingsOf('paid').length === 4);
  expect(endingsOf('paid').slice(2)).toEqual(['completed  false', 'failed question-unanswered true']);
  expect((await call('paid', 'form')).text).toContain('monthly budget of 2 calls is exhausted');
});

test('a call that waits keeps its place among those under way until it ends', async () => {
  const goOn = await ask('narrow');
  expect((await call('narrow', 'form')).text).toContain('the limit of 1 concurrent call is reached');
  expect((await goOn()).text).toContain('"name":"Ana"');
  await ask('narrow');
  expect((await call('narrow', 'form')).text).toContain('the limit of 1 concurrent call is reached');
  await until(() => endingsOf('narrow').at(-1) === 'failed question-unanswered true');
  expect((await call('narrow', 'none')).text).toContain('{"received":[]');
});

test('the record of calls that wait decides again as it did', async () => {
  const replayed = await home.run(['replay', 'decide', '--output', 'json']);
  expect(JSON.parse(replayed.stdout)).toMatchObject({ differenceCount: 0, missing: [] });
});

test('a broker that stops writes how the calls that wait ended', async () => {
  await ask('granted');
  await served.stop();
  expect(endingsOf('granted').at(-1)).toBe('failed shutting-down true');
});
