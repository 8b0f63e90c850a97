import { Duplex, PassThrough } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OPERATIONS } from '../../../src/domain/call.ts';
import type { Outcome } from '../../../src/domain/outcome.ts';
import type { FeatureKind, ViewName } from '../../../src/domain/target.ts';
import { type HttpServer, openHttpServer } from '../../../src/ingress/http-server.ts';
import { Paginator } from '../../../src/ingress/mcp/methods/paginator.ts';
import { createServices } from '../../../src/ingress/mcp/methods/services.ts';
import { serveStdio } from '../../../src/ingress/mcp/stdio/stdio-connection.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { INITIALIZE, lineClient } from '../../fixtures/clients/line-client.ts';
import { modernMessage, send } from '../../fixtures/clients/raw-http.ts';
import { ComposedBroker } from '../../fixtures/composed-broker.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { TEST_PORTS } from '../../fixtures/http-harness.ts';

const AGENTS = { a: undefined, b: 'support' };
const FILES = [{ uriTemplate: 'file:///t/{id}', name: 'things' }];
const VIEWS: readonly (ViewName | undefined)[] = [
  ...[undefined, 'server:x', 'server:y', 'virtual:part', 'virtual:fixed'],
  // Neither exists: a server is no virtual server, and a virtual server is no server.
  ...['virtual:x', 'server:part'],
] as (ViewName | undefined)[];

const broker = new ComposedBroker({
  agents: AGENTS,
  tools: { x: ['read', 'drop'], y: ['read', 'list'] },
  others: {
    x: { prompts: [{ name: 'greet' }], resources: [{ uri: 'memo:shared', name: 'of x' }], templates: FILES },
    y: { prompts: [{ name: 'greet' }], resources: [{ uri: 'memo:shared', name: 'of y' }] },
  },
  virtual: {
    // `read` is what y lists, under the name of another tool of x: no grant on either may follow the name.
    part: `tools: { include: ["x/*"], exclude: ["x/drop"], rename: { drop: y/read } }
prompts: { rename: { hello: y/greet } }
resources: { include: ["x/*"], exclude: ["x/file:///t/s*"] }
`,
    fixed: `tools:
  include: ["y/*"]
  override: { y/read: { description: Reads x, fixed: { n: x } } }
resources: { include: ["*/memo:*"] }
`,
  },
  inputSchema: { type: 'object', properties: { n: { type: 'string' }, m: { type: 'string' } } },
});
let http: HttpServer;

beforeAll(async () => {
  await broker.open();
  http = await openHttpServer({
    ...{ ...TEST_PORTS, broker: broker.broker, port: 0, getReadiness: () => ({ ready: true }) },
    authenticate: ({ authorization }) => ({ ok: true, principal: broker.principal(authorization ?? '') }),
  });
});
afterAll(async () => {
  await http.close({ drainMs: 0 });
  broker.close();
});

const OBJECTS = [
  ...['tool:*', 'tool:x/*', 'tool:x/read', 'tool:x/drop', 'tool:y/read', 'tool:*/read', 'tool:y/list'],
  ...['prompt:*', 'prompt:x/greet', 'prompt:y/*', 'resource:*', 'resource:x/memo:shared', 'resource:y/*'],
  ...['resource:x/file:///t/*', 'resource:x/file:///t/s*', 'resource:x/file:///t/secret'],
];
const CONDITIONS = ['', '', "principal.owner == 'ana'", "target.name == 'read'", "args.m == 'x'"];

const rowOn = (objects: readonly string[], actions: readonly string[]): fc.Arbitrary<string> =>
  fc
    .record({
      subject: fc.constantFrom('agent:a', 'agent:*', 'team:support'),
      object: fc.constantFrom(...objects),
      action: fc.constantFrom(...actions),
      when: fc.constantFrom(...CONDITIONS),
      effect: fc.constantFrom('allow', 'allow', 'deny'),
    })
    .map(({ subject, object, action, when, effect }) => {
      return `p, ${subject}, ${object}, ${action}, ${when === '' ? '' : `"${when}"`}, ${effect}`;
    });
const policyOf = (row: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(row, { minLength: 1, maxLength: 5 }).map((rows) => [...rows, ''].join('\n'));
const policy = policyOf(rowOn(OBJECTS, ['call', 'get', 'read', '*', '*']));
const policyOnTools = policyOf(
  rowOn(
    OBJECTS.filter((object) => object.startsWith('tool:')),
    ['call', '*'],
  ),
);

const URIS = ['1', 's', 'secret', 'z', 'q', 'zz', 'sz'].map((id) => `file:///t/${id}`);
const PREFIXED = ['x', 'y'].flatMap((server) => ['read', 'drop', 'list', 'greet'].map((name) => `${server}__${name}`));
const NAMES = [...PREFIXED, 'read', 'drop', 'list', 'greet', 'hello'];
const RESOURCES = ['memo:shared', 'seneschal://x/memo:shared', 'seneschal://y/memo:shared'];
/** For each kind what is tried: the name on the list, and what is asked for. */
const TRIES: Readonly<Record<FeatureKind, readonly (readonly [listed: string, asked: readonly string[]])[]>> = {
  tool: NAMES.map((name) => [name, [name]]),
  prompt: NAMES.map((name) => [name, [name]]),
  resource: RESOURCES.map((uri) => [uri, [uri]]),
  template: [['file:///t/{id}', URIS]],
};
const VERB_OF = {
  ...{
    tool: OPERATIONS.callTool,
    prompt: OPERATIONS.getPrompt,
    resource: OPERATIONS.readResource,
    template: OPERATIONS.readResource,
  },
} as const;
const isAnswered = ({ kind }: Outcome): boolean => kind === 'completed';
const ARGUMENTS: Readonly<Record<FeatureKind, readonly JsonObject[]>> = {
  ...{ tool: [{}, { m: 'x' }, { m: 'y' }], prompt: [{}, { m: 'x' }, { m: 'y' }], resource: [{}], template: [{}] },
};

verifies('A2')('in every view what is listed can be used, and what can be used is listed', async () => {
  let listed = 0;
  const property = fc.asyncProperty(policy, async (csv) => {
    await broker.putInForce(csv);
    for (const agent of Object.keys(AGENTS)) {
      for (const view of VIEWS) {
        const shown: string[] = [];
        for (const kind of ['tool', 'prompt', 'resource', 'template'] as const) {
          const list = broker.listOf(agent, kind, view);
          // A URI may always be read by its long form too, and is listed once.
          const isOtherForm = (name: string): boolean =>
            name.startsWith('seneschal:') && !list.includes(name) && list.includes('memo:shared');
          const useful: string[] = [];
          for (const [name, asked] of TRIES[kind]) {
            const tries = asked.flatMap((exposedName) => ARGUMENTS[kind].map((args) => ({ exposedName, args, view })));
            const outcomes = await Promise.all(tries.map((each) => broker.actAs(agent, VERB_OF[kind], each)));
            if (outcomes.some(isAnswered)) useful.push(name);
            if (kind === 'template') continue;
            for (const outcome of outcomes) {
              if (outcome.kind === 'refused' && !isOtherForm(name)) expect(outcome.visible).toBe(list.includes(name));
            }
          }
          shown.push(...list);
          expect([agent, view, kind, list]).toEqual([
            agent,
            view,
            kind,
            useful.filter((name) => !isOtherForm(name)).sort(),
          ]);
        }
        listed += shown.length;
        if (view === undefined) continue;
        // One that may complete and nothing else is not shown anything, and has what to ask.
        const { completions } = broker.broker.visibleLists.capabilitiesOf(broker.principal(agent), view);
        expect(broker.broker.visibleLists.isViewVisible(broker.principal(agent), view)).toBe(
          shown.length > 0 || completions,
        );
      }
    }
  });
  await fc.assert(property, { numRuns: 100, seed: 20_261_125, endOnFailure: true });
  expect(listed).toBeGreaterThan(400);
});

/** Asks one request and gives what it was answered with. */
type Ask = (method: string, params?: JsonObject) => Promise<Record<string, unknown>>;

const ENDPOINTS: Readonly<Record<string, (agent: string, view: ViewName | undefined) => Promise<Ask>>> = {
  'http modern': async (agent, view) => async (method, params) => {
    const { name } = params ?? {};
    const headers = {
      ...{ authorization: agent, 'mcp-protocol-version': '2026-07-28', 'mcp-method': method },
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    };
    const body = JSON.stringify(modernMessage(method, params));
    return JSON.parse((await send(http.port, { path: pathOf(view), headers, body })).body);
  },
  'http legacy': async (agent, view) => {
    const path = pathOf(view);
    const opened = await send(http.port, {
      ...{ path, headers: { authorization: agent }, body: JSON.stringify(INITIALIZE) },
    });
    const session = String(opened.headers['mcp-session-id']);
    return async (method, params) => {
      const headers = { authorization: agent, 'mcp-session-id': session };
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
      return JSON.parse((await send(http.port, { path, headers, body })).body);
    };
  },
  'stdio modern': async (agent, view) => {
    const client = stream(agent, view);
    let id = 0;
    return (method, params) => {
      id += 1;
      client.say(modernMessage(method, params, id));
      return client.next();
    };
  },
  'stdio legacy': async (agent, view) => {
    const client = stream(agent, view);
    client.say(INITIALIZE);
    await client.next();
    let id = 0;
    return (method, params) => {
      id += 1;
      client.say({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) });
      return client.next();
    };
  },
};

function pathOf(view: ViewName | undefined): string {
  if (view === undefined) return '/mcp';
  const [kind, name] = view.split(':');
  return kind === 'virtual' ? `/v/${name}/mcp` : `/servers/${name}/mcp`;
}

function stream(agent: string, view: ViewName | undefined): ReturnType<typeof lineClient> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const services = createServices({ ...TEST_PORTS, broker: broker.broker });
  serveStdio({ services, input, output, view, principal: () => broker.principal(agent) });
  return lineClient(Duplex.from({ writable: input, readable: output }));
}

verifies('A2').each(Object.entries(ENDPOINTS))(
  'on every view %s lists what it answers, and answers what it lists',
  async (_, open) => {
    let listed = 0;
    const property = fc.asyncProperty(policyOnTools, fc.constantFrom(...VIEWS), async (csv, view) => {
      await broker.putInForce(csv);
      const ask = await open('b', view);
      const answer = await ask('tools/list');
      const { tools } = (answer.result ?? { tools: [] }) as { tools: { name: string }[] };
      const list = tools.map(({ name }) => name);
      const useful: string[] = [];
      for (const name of NAMES) {
        const answers: Record<string, unknown>[] = [];
        for (const args of ARGUMENTS.tool) answers.push(await ask('tools/call', { name, arguments: args }));
        const isRefused = ({ result }: Record<string, unknown>): boolean => (result as JsonObject)?.isError === true;
        if (answers.some((each) => each.result !== undefined && !isRefused(each))) useful.push(name);
        // A refusal in words would tell that the tool is there.
        if (!list.includes(name)) expect(answers.map(isRefused)).toEqual([false, false, false]);
      }
      listed += list.length;
      expect([view, list]).toEqual([view, useful.sort()]);
    });
    await fc.assert(property, { numRuns: 40, seed: 20_261_126, endOnFailure: true });
    expect(listed).toBeGreaterThan(20);
  },
);

test('a cursor of one view is none on another, also where both show the same names', async () => {
  await broker.putInForce('p, agent:*, tool:*, call, , allow\n');
  const pages = new Paginator(Buffer.alloc(32, 7), { pageSize: 1 });
  const lists = VIEWS.slice(0, 5).map((view) => broker.broker.visibleLists.list(broker.principal('a'), 'tool', view));
  const cursors = lists.map((list) => pages.page(list, 'agent:a', undefined)?.nextCursor);
  expect(cursors.every((cursor) => cursor !== undefined)).toBe(true);
  const opens = lists.map((list) => cursors.map((cursor) => pages.page(list, 'agent:a', cursor) !== undefined));
  expect(opens).toEqual(lists.map((_, row) => lists.map((__, column) => row === column)));
});
