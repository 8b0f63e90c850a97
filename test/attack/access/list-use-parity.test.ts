import fc from 'fast-check';
import { afterAll, beforeAll, expect } from 'vitest';
import { explainAccess } from '../../../src/app/queries/policy.ts';
import { OPERATIONS, type Operation } from '../../../src/domain/call.ts';
import type { Outcome } from '../../../src/domain/outcome.ts';
import type { FeatureKind } from '../../../src/domain/target.ts';
import { ComposedBroker } from '../../fixtures/composed-broker.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';

const AGENTS = { a: undefined, b: 'support' };
const broker = new ComposedBroker({
  agents: AGENTS,
  tools: { x: [], y: [] },
  others: {
    x: {
      prompts: [{ name: 'greet' }, { name: 'part' }],
      resources: [
        { uri: 'file:///a/1', name: 'one' },
        { uri: 'memo:shared', name: 'of x' },
      ],
      templates: [{ uriTemplate: 'file:///t/{id}', name: 'things' }],
    },
    y: {
      prompts: [{ name: 'greet' }],
      resources: [{ uri: 'memo:shared', name: 'of y' }],
      templates: [{ uriTemplate: 'log:/{+path}', name: 'logs' }],
    },
  },
  inputSchema: { type: 'object' },
});

beforeAll(() => broker.open());
afterAll(() => broker.close());

const OBJECTS = [
  ...['prompt:x/*', 'prompt:x/greet', 'prompt:*/greet', 'prompt:y/greet', 'set:s', 'resource:*'],
  ...['resource:x/*', 'resource:x/file:///a/1', 'resource:x/memo:shared', 'resource:y/memo:*', 'resource:y/log:/*'],
  ...['resource:x/file:///t/*', 'resource:x/file:///t/s*', 'resource:x/file:///t/secret', 'resource:x/*/{id}'],
  ...['resource:y/log:/a/*', 'resource:y/log:/*.txt', 'resource:y/*b*'],
];
const CONDITIONS = [
  '',
  "principal.owner == 'ana'",
  "target.kind == 'prompt'",
  "args.n == 'x'",
  "target.tool == 'greet'",
];

function policyOf(...actions: readonly string[]): fc.Arbitrary<string> {
  const row = fc
    .record({
      subject: fc.constantFrom('agent:a', 'agent:*', 'role:r', 'team:support'),
      object: fc.constantFrom(...OBJECTS),
      action: fc.constantFrom(...actions),
      when: fc.constantFrom(...CONDITIONS),
      effect: fc.constantFrom('allow', 'allow', 'deny'),
    })
    .map(({ subject, object, action, when, effect }) => {
      const condition = when === '' ? '' : `"${when}"`;
      return `p, ${subject}, ${object}, ${action}, ${condition}, ${effect}`;
    });
  const also = ['g, agent:b, role:r', 'g2, resource:x/file:///t/7, set:s', 'g2, prompt:x/part, set:s', ''];
  return fc.array(row, { minLength: 1, maxLength: 5 }).map((rows) => [...rows, ...also].join('\n'));
}

const policy = policyOf('get', 'read', 'complete', '*');

/** What of each kind is asked for, by the name under which it would be on the list. */
const USES: readonly (readonly [FeatureKind, Operation, Readonly<Record<string, readonly string[]>>])[] = [
  ['prompt', OPERATIONS.getPrompt, { x__greet: ['x__greet'], x__part: ['x__part'], y__greet: ['y__greet'] }],
  [
    ...(['resource', OPERATIONS.readResource] as const),
    {
      'file:///a/1': ['file:///a/1', 'FILE:///a/%31', 'file:///b/../a/1'],
      'seneschal://x/memo:shared': ['seneschal://x/memo:shared'],
      'seneschal://y/memo:shared': ['seneschal://y/memo:shared'],
    },
  ],
  [
    ...(['template', OPERATIONS.readResource] as const),
    {
      'file:///t/{id}': ['1', '7', 's', 'secret', 'z', 'zz', 'sz', 'q', 'xz', 'sqz'].map((id) => `file:///t/${id}`),
      'log:/{+path}': ['a', 'z', 'q', 'b', 'qbq', 'zbz', 'a/z', 'a/q', 'z.txt', 'q.txt', 'a/b', '.txt', 'a/q.txt'].map(
        (path) => `log:/${path}`,
      ),
    },
  ],
];

const isAnswered = ({ kind }: Outcome): boolean => kind === 'completed';
const ARGUMENTS = [{}, { n: 'x' }, { n: 'y' }];
const RUNS = { numRuns: 250, seed: 20_260_131, endOnFailure: true };

verifies('A2')('listed prompts, resources and templates can be used, and usable ones are listed', async () => {
  let listed = 0;
  const property = fc.asyncProperty(policy, async (csv) => {
    await broker.putInForce(csv);
    for (const agent of Object.keys(AGENTS)) {
      for (const [kind, verb, asked] of USES) {
        const list = broker.listOf(agent, kind);
        const useful: string[] = [];
        for (const [name, uses] of Object.entries(asked)) {
          const outcomes = await Promise.all(
            uses.flatMap((exposedName) =>
              (kind === 'prompt' ? ARGUMENTS : [{}]).map((args) => broker.actAs(agent, verb, { exposedName, args })),
            ),
          );
          if (outcomes.some(isAnswered)) useful.push(name);
          if (kind === 'template') continue;
          // The other spellings of a URI get the very same answer.
          for (const outcome of outcomes)
            if (outcome.kind === 'refused') expect(outcome.visible).toBe(list.includes(name));
        }
        listed += list.length;
        expect([agent, kind, list]).toEqual([agent, kind, useful.sort()]);
      }
    }
  });
  await fc.assert(property, RUNS);
  expect(listed).toBeGreaterThan(150);
});

verifies('A2')(
  'a completion is answered only where a row grants it, and otherwise as if its target did not exist',
  async () => {
    const argument = { argument: { name: 'n', value: '' } };
    let answered = 0;
    const property = fc.asyncProperty(policy, async (csv) => {
      await broker.putInForce(csv);
      for (const [verb, kind, exposedName, object] of [
        [OPERATIONS.completePrompt, 'prompt', 'x__greet', 'prompt:x/greet'],
        [OPERATIONS.completeTemplate, 'template', 'file:///t/{id}', 'resource:x/file:///t/{id}'],
      ] as const) {
        const outcome = await broker.actAs('b', verb, { exposedName, args: argument });
        if (isAnswered(outcome)) answered += 1;
        const explained = explainAccess(broker.settings, { as: 'agent:b', action: 'complete', object });
        if (explained.effect === 'deny') expect(isAnswered(outcome)).toBe(false);
        const isListed = broker.listOf('b', kind).includes(exposedName);
        if (outcome.kind === 'refused') expect(outcome.visible).toBe(isListed || explained.effect !== 'deny');
      }
    });
    await fc.assert(property, RUNS);
    expect(answered).toBeGreaterThan(30);
  },
);

/** What of resources there is to subscribe to: those that are listed, and some that templates make. */
const URIS = [...Object.keys(USES[1]?.[2] ?? {}), ...Object.values(USES[2]?.[2] ?? {}).flat()];

verifies('A2')('the subscribe capability is declared exactly where some resource may be subscribed to', async () => {
  let offered = 0;
  const property = fc.asyncProperty(policyOf('subscribe', 'read', '*'), async (csv) => {
    await broker.putInForce(csv);
    for (const agent of Object.keys(AGENTS)) {
      const subscribed: string[] = [];
      for (const exposedName of URIS) {
        const { end, outcome } = await broker.subscribeAs(agent, exposedName, () => {});
        expect(end !== undefined).toBe(isAnswered(outcome));
        if (end !== undefined) subscribed.push(exposedName);
        end?.();
        if (exposedName !== 'file:///t/7') continue;
        const question = { as: `agent:${agent}`, action: 'subscribe', object: `resource:x/${exposedName}` };
        expect(explainAccess(broker.settings, question).effect === 'allow').toBe(isAnswered(outcome));
      }
      const { subscriptions } = broker.broker.visibleLists.capabilitiesOf(broker.principal(agent));
      if (subscriptions) offered += 1;
      expect([agent, csv, subscriptions]).toEqual([agent, csv, subscribed.length > 0]);
    }
  });
  await fc.assert(property, { ...RUNS, numRuns: 120 });
  expect(offered).toBeGreaterThan(30);
});

verifies('A2').each([
  ['a URI of no server', 'file:///etc/passwd'],
  ['a parent behind the granted folder', 'log:/a/../../etc/passwd'],
  ['an escaped parent', 'log:/a/%2e%2e/secret'],
  ['a parent behind escaped slashes', 'log:/a/..%2f..%2fsecret'],
  ['userinfo', 'file://ana:secret@host/t/1'],
  ['a URI that two servers have', 'memo:shared'],
  ['a server that is not there', 'seneschal://z/memo:shared'],
  ['the URI of another server', 'seneschal://y/file:///a/1'],
  ['a template itself', 'file:///t/{id}'],
])('%s gets the response of a missing feature, and nothing is sent', async (_, exposedName) => {
  await broker.putInForce('p, agent:a, resource:x/*, read, , allow\np, agent:a, resource:y/log:/a/*, read, , allow\n');
  broker.dispatched.length = 0;
  const outcome = await broker.actAs('a', OPERATIONS.readResource, { exposedName });
  expect(outcome).toMatchObject({ kind: 'refused', visible: false });
  expect(broker.dispatched).toEqual([]);
});
