import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { explainAccess } from '../../../src/app/queries/policy.ts';
import type { Outcome } from '../../../src/domain/outcome.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { ComposedBroker } from '../../fixtures/composed-broker.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { scaled } from '../../fixtures/scale.ts';
import { ARGUMENTS, policy } from '../../property/policy-generator.ts';

/** Generated policies; each is asked about 3 agents, 5 tools and 13 arguments. */
const POLICIES = scaled({ small: 16, full: 200 });
const AGENTS = { a: 't', ab: 'u', b: undefined };
const TOOLS: Readonly<Record<string, readonly string[]>> = { x: ['a', 'ab', 'b'], y: ['a', 'ab'] };
const TARGETS = Object.entries(TOOLS).flatMap(([server, tools]) => tools.map((tool) => ({ server, tool })));
/** What every tool takes. No schema stands between the policy and the call, but for the one kind of `WRONG`. */
const SCHEMA = { type: 'object', properties: { n: { type: ['integer', 'string'] }, s: { type: 'string' } } };
const WRONG: JsonObject = { n: [], s: 'x' };

const broker = new ComposedBroker({ agents: AGENTS, tools: TOOLS, inputSchema: SCHEMA });
const { settings, dispatched, recorded } = broker;

beforeAll(() => broker.open());
afterAll(() => broker.close());

async function putInForce(csv: string): Promise<void> {
  await broker.putInForce(csv);
  expect(broker.standing.rules.texts['policy.csv']).toBe(csv);
}

/** Every agent with every tool: whether it is on the list, and how each of the calls ended. */
async function forEachPair(
  csv: string,
  body: (pair: { agent: string; object: string; isListed: boolean; outcomes: readonly Outcome[] }) => void,
): Promise<void> {
  await putInForce(csv);
  for (const agent of Object.keys(AGENTS)) {
    const listed = new Set(broker.listOf(agent));
    for (const { server, tool } of TARGETS) {
      const exposedName = `${server}__${tool}`;
      const outcomes = await Promise.all([...ARGUMENTS, WRONG].map((args) => broker.callAs(agent, exposedName, args)));
      body({ agent, object: `tool:${server}/${tool}`, isListed: listed.has(exposedName), outcomes });
    }
  }
}

const RUNS = { numRuns: POLICIES, seed: 20_260_131, endOnFailure: true };
const isAnswered = ({ kind }: Outcome): boolean => kind === 'completed';

verifies('A2')(
  'an unlisted tool is refused with any arguments, and a tool refused with any arguments is unlisted',
  async () => {
    let pairs = 0;
    const property = fc.asyncProperty(policy, async ({ csv }) => {
      await forEachPair(csv, ({ agent, object, isListed, outcomes }) => {
        pairs += 1;
        expect([agent, object, isListed]).toEqual([agent, object, outcomes.some(isAnswered)]);
      });
    });
    await fc.assert(property, RUNS);
    expect(pairs).toBe(POLICIES * 3 * TARGETS.length);
  },
);

verifies('A2')(
  'an unlisted tool gets the same response as one that does not exist, with valid and invalid arguments',
  async () => {
    const property = fc.asyncProperty(policy, async ({ csv }) => {
      await forEachPair(csv, ({ isListed, outcomes }) => {
        for (const outcome of outcomes) if (outcome.kind === 'refused') expect(outcome.visible).toBe(isListed);
      });
    });
    await fc.assert(property, RUNS);
  },
);

verifies('A2')('a refused call reaches no tool server, and a sent call has its intent in the ledger', async () => {
  dispatched.length = 0;
  recorded.length = 0;
  let answered = 0;
  const property = fc.asyncProperty(policy, async ({ csv }) => {
    await forEachPair(csv, ({ outcomes }) => (answered += outcomes.filter(isAnswered).length));
  });
  await fc.assert(property, RUNS);
  expect(dispatched.length).toBe(answered);
  expect(new Set(dispatched)).toEqual(new Set(recorded));
});

verifies('A2')('explain agrees with list and call, for all arguments and for each', async () => {
  const property = fc.asyncProperty(policy, fc.nat(ARGUMENTS.length - 1), async ({ csv }, chosen) => {
    const args = ARGUMENTS[chosen] ?? {};
    await forEachPair(csv, ({ agent, object, isListed, outcomes }) => {
      const question = { as: `agent:${agent}`, action: 'call', object };
      expect(explainAccess(settings, question).effect === 'deny').toBe(!isListed);
      const outcome = outcomes[chosen];
      const rule = outcome?.kind === 'refused' ? outcome.rule : undefined;
      const explained = explainAccess(settings, { ...question, args });
      expect(explained.effect).toBe(outcome?.kind === 'completed' ? 'allow' : 'deny');
      if (explained.effect === 'deny') expect(explained.rule).toBe(rule);
    });
  });
  await fc.assert(property, { ...RUNS, numRuns: Math.ceil(POLICIES / 4) });
});

verifies('A2').each([
  ['who proves itself', "principal.proof == 'api-key'", 'allow'],
  ['the harm of a tool whose risk is not declared', "target.risk == 'destructive'", 'allow'],
  ['the way in', "context.transport == 'stdio'", 'deny'],
])('explain and call agree on %s', async (_what, when, effect) => {
  await putInForce(`p, agent:a, tool:x/a, call, "${when}", allow\n`);
  expect(explainAccess(settings, { as: 'agent:a', action: 'call', object: 'tool:x/a', args: {} }).effect).toBe(effect);
  const outcome = await broker.callAs('a', 'x__a', {});
  expect(outcome.kind).toBe(effect === 'allow' ? 'completed' : 'refused');
});
