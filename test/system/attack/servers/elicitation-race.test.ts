import { afterAll, beforeAll, expect } from 'vitest';
import type { JsonObject } from '../../../../src/lib/json/json.ts';
import { verifies } from '../../../fixtures/docs/verifies.ts';
import { type Answered, governedHome, ledgerOf, until, WireAgent } from '../../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../../fixtures/homes/home.ts';
import { ANSWERS_FORMS, askingProcess, mayAsk } from '../../../fixtures/servers/eliciting-server.ts';

const SERVERS = ['hurried', 'twice'] as const;
const POLICY = mayAsk('ana', SERVERS);
/** The call that asks uses it up; what goes on is refused until the rule is taken away. */
const RATE = 'rates:\n  - { subject: "agent:*", resource: "tool:hurried/*", limit: 1/h, burst: 1 }\n';
const STATE_REFUSED = 'Invalid params: `requestState` is not valid for this request';

let home: Home;
let served: Served;
let ana: WireAgent;

beforeAll(async () => {
  const servers = Object.fromEntries(SERVERS.map((server) => [server, askingProcess(server, 'modern')]));
  home = governedHome({ agents: { ana: '' }, policy: POLICY, limits: RATE, servers });
  const key = await home.key('ana');
  served = await home.serve();
  ana = new WireAgent(served.url, key);
  await until(async () => (await ana.tools()).length === SERVERS.length);
});

afterAll(async () => {
  ana.close();
  await home.close();
});

function call(server: string, more: object = {}): Promise<Answered> {
  const name = `${server}__ask`;
  return ana.ask('tools/call', { name, arguments: { kind: 'form' }, _meta: ANSWERS_FORMS, ...more }, { name });
}

/** Leaves a question open. @returns what goes on with it. */
async function ask(server: string): Promise<() => Promise<Answered>> {
  const { result } = (await call(server)).message;
  const { requestState, inputRequests } = result as { requestState: string; inputRequests: JsonObject };
  const answer = { action: 'accept', content: { name: 'Ana' } };
  const inputResponses = { [Object.keys(inputRequests)[0] ?? '']: answer };
  return () => call(server, { requestState, inputResponses });
}

verifies('P6')(
  'a response that is refused with a retry time finds its call suspended, and is accepted once',
  async () => {
    const goOn = await ask('hurried');
    const refused = await goOn();
    expect(refused.reason).toBe('rate-exceeded');
    expect(refused.text).toMatch(/try again in \d+ (?:s|min)$/);
    expect((await goOn()).reason).toBe('rate-exceeded');
    home.write({ 'policies/limits.yaml': 'rates: []\n' });
    let last = await goOn();
    await until(async () => {
      if (last.reason === 'rate-exceeded') last = await goOn();
      return last.reason !== 'rate-exceeded';
    });
    expect(last.text).toContain('"name":"Ana"');
    expect((await goOn()).text).toBe(STATE_REFUSED);
  },
);

verifies('P6')('of two simultaneous responses with one state exactly one resumes the call', async () => {
  const goOn = await ask('twice');
  const texts = (await Promise.all([goOn(), goOn()])).map(({ text }) => text);
  expect(texts.filter((text) => text.includes('"name":"Ana"'))).toHaveLength(1);
  expect(texts).toContain(STATE_REFUSED);
});

verifies('P6')(
  'a call that stayed suspended has one outcome in the ledger, and replays without a difference',
  async () => {
    const endings = ledgerOf(home)
      .map(({ entry }) => entry)
      .filter(({ kind, target }) => kind === 'call.closed' && target === 'tool:hurried/ask');
    expect(endings.map(({ outcome }) => outcome)).toEqual(['input-required', 'completed']);
    const replayed = await home.run(['replay', 'decide', '--output', 'json']);
    expect(JSON.parse(replayed.stdout)).toMatchObject({ differenceCount: 0, missing: [] });
  },
);
