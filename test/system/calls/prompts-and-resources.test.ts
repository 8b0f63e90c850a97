import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type AgentClient,
  type ClientKind,
  connectClient,
  type McpEntry,
  SDK_CLIENTS,
} from '../../fixtures/clients/mcp-clients.ts';
import { stdioEntry } from '../../fixtures/clients/stdio-shim.ts';
import { governedHome, ledgerOf, until } from '../../fixtures/homes/governed-home.ts';
import type { Home, Served } from '../../fixtures/homes/home.ts';

const EVERYTHING = resolve(
  import.meta.dirname,
  '../../../node_modules/@modelcontextprotocol/server-everything/dist/index.js',
);
const TRANSPORT = { type: 'stdio', command: process.execPath, args: [EVERYTHING, 'stdio'] };
const POLICY = `
p, agent:reader, prompt:everything/*-prompt, get, , allow
p, agent:reader, prompt:everything/resource-prompt, get, , deny
p, agent:reader, prompt:everything/completable-prompt, complete, , allow
p, agent:reader, resource:everything/demo://resource/static/document/f*, read, , allow
p, agent:reader, resource:everything/demo://resource/dynamic/text/*, read, , allow
p, agent:reader, resource:everything/demo://resource/dynamic/text/13, read, , deny
p, agent:reader, resource:everything/demo://resource/dynamic/text/{resourceId}, complete, , allow
p, agent:other, tool:everything/echo, call, , allow
`;
const LIMITS = `
rates:
  - { subject: "agent:limited", resource: "prompt:everything/*", action: get, limit: 1/h, burst: 1 }
  - { subject: "agent:limited", resource: "resource:everything/*", action: read, limit: 1/h, burst: 1 }
`;
const AS_LIMITED = POLICY.replaceAll('agent:reader', 'agent:limited');
const TEXT_TEMPLATE = 'demo://resource/dynamic/text/{resourceId}';

let home: Home;
let served: Served;
let direct: AgentClient;
const keys = new Map<string, string>();
const open: AgentClient[] = [];

beforeAll(async () => {
  home = governedHome({
    agents: { reader: '', other: '', limited: '' },
    servers: { everything: `name: everything\ntransport: ${JSON.stringify(TRANSPORT)}\npin: auto\nsharing: all\n` },
    policy: `${POLICY}${AS_LIMITED}`,
    limits: LIMITS,
  });
  for (const agent of ['reader', 'other', 'limited']) keys.set(agent, await home.key(agent));
  served = await home.serve();
  await until(() => ledgerOf(home).length > 0 && served.printed().length > 0);
  direct = await connectClient('v1', { command: process.execPath, args: [EVERYTHING, 'stdio'] });
  // Until the server was listed the broker says that there may be anything.
  const probe = await connect('v2-modern', 'http', 'other');
  await until(async () => (await probe.list()).length === 1 && (await isListed()));
});

afterAll(async () => {
  await Promise.all([...open, direct].map((client) => client?.close()));
  await home.close();
});

async function isListed(): Promise<boolean> {
  const client = await connect('v2-modern', 'http', 'reader');
  return ((await client.others.resources()).resources as unknown[]).length > 0;
}

async function connect(kind: ClientKind, transport: 'http' | 'stdio', agent = 'reader'): Promise<AgentClient> {
  const http: McpEntry = {
    ...{ type: 'http', url: `${served.url}/mcp` },
    headers: { authorization: `Bearer ${keys.get(agent)}` },
  };
  const client = await connectClient(kind, transport === 'http' ? http : stdioEntry(home, agent));
  open.push(client);
  return client;
}

/** The result without what an era or a governed list puts around it. */
function bare(result: Record<string, unknown>): Record<string, unknown> {
  const around = ['_meta', 'ttlMs', 'cacheScope', 'resultType'];
  return Object.fromEntries(Object.entries(result).filter(([member]) => !around.includes(member)));
}

async function errorOf(refusal: Promise<unknown>): Promise<Record<string, unknown>> {
  const { code, message, data } = await refusal.then(
    () => ({}) as Record<string, unknown>,
    (error: unknown) => error as Record<string, unknown>,
  );
  return { code, message, ...(data === undefined ? {} : { data }) };
}

test.each(SDK_CLIENTS)(
  '%s over %s: an agent is shown what it is granted of each surface, and no more',
  async (kind, transport) => {
    const { others } = await connect(kind, transport);
    expect(others.capabilities()).toEqual(['completions', 'logging', 'prompts', 'resources', 'tools']);
    const { prompts } = (await others.prompts()) as { prompts: { name: string }[] };
    expect(prompts.map(({ name }) => name)).toEqual([
      'everything__args-prompt',
      'everything__completable-prompt',
      'everything__simple-prompt',
    ]);
    const { resources } = (await others.resources()) as { resources: { uri: string }[] };
    expect(resources.map(({ uri }) => uri)).toEqual(['demo://resource/static/document/features.md']);
    const { resourceTemplates } = (await others.templates()) as { resourceTemplates: { uriTemplate: string }[] };
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([TEXT_TEMPLATE]);
  },
);

test.each(SDK_CLIENTS)('%s over %s: prompts, resources and completions pass verbatim', async (kind, transport) => {
  const { others } = await connect(kind, transport);
  const city = { city: 'Bern', state: 'BE' };
  expect(bare(await others.get('everything__args-prompt', city))).toEqual(await direct.others.get('args-prompt', city));
  const uri = 'demo://resource/static/document/features.md';
  expect(bare(await others.read(uri))).toEqual(await direct.others.read(uri));
  const dynamic = await others.read('demo://resource/dynamic/text/7');
  expect(dynamic).toMatchObject({ contents: [{ uri: 'demo://resource/dynamic/text/7', mimeType: 'text/plain' }] });
  const department = { name: 'department', value: 'E' };
  expect(bare(await others.completePrompt('everything__completable-prompt', department))).toEqual(
    await direct.others.completePrompt('completable-prompt', department),
  );
  const id = { name: 'resourceId', value: '5' };
  expect(bare(await others.completeTemplate(TEXT_TEMPLATE, id))).toEqual(
    await direct.others.completeTemplate(TEXT_TEMPLATE, id),
  );
});

test.each(SDK_CLIENTS)(
  '%s over %s: a feature without a grant gets the response of a missing one',
  async (kind, transport) => {
    const { others } = await connect(kind, transport);
    const alike = async (ask: (name: string) => Promise<unknown>, names: readonly string[]): Promise<unknown[]> =>
      Promise.all(
        names.map(async (name) => {
          const error = await errorOf(ask(name));
          return JSON.stringify(error).replaceAll(name, '…');
        }),
      );
    const prompts = await alike((name) => others.get(name), ['everything__resource-prompt', 'everything__no-such-one']);
    expect(prompts[0]).toContain('Unknown prompt: …');
    expect(new Set(prompts).size).toBe(1);
    const resources = await alike(
      (uri) => others.read(uri),
      ['demo://resource/static/document/structure.md', 'demo://resource/dynamic/blob/1', 'demo://nothing/at/all'],
    );
    expect(resources[0]).toContain('Resource not found: …');
    expect(new Set(resources).size).toBe(1);
    const argument = { name: 'name', value: '' };
    const completions = await alike(
      (name) => others.completePrompt(name, argument),
      ['everything__resource-prompt', 'x'],
    );
    expect(new Set(completions).size).toBe(1);
  },
);

test('an agent without grants sees only the tools and logging capabilities', async () => {
  const { others } = await connect('v2-modern', 'http', 'other');
  expect(others.capabilities()).toEqual(['logging', 'tools']);
});

test('a row that forbids one URI of a template is a refusal that the agent sees no more of', async () => {
  const { others } = await connect('v2-modern', 'http');
  expect(await errorOf(others.read('demo://resource/dynamic/text/13'))).toMatchObject({ code: -32602 });
});

test('rates apply to prompts and resources too, and the refusal states the wait', async () => {
  const { others } = await connect('v1', 'http', 'limited');
  await others.get('everything__simple-prompt');
  const refused = await errorOf(others.get('everything__simple-prompt'));
  expect(refused).toMatchObject({
    code: -31_000,
    data: { 'dev.seneschal/decision': { reason: 'rate-exceeded', retryAfterMs: expect.any(Number) } },
  });
  await others.read('demo://resource/dynamic/text/1');
  expect(await errorOf(others.read('demo://resource/dynamic/text/2'))).toMatchObject({ code: -31_000 });
});

test('a prompt without a required argument, and one that is no text, never reaches the server', async () => {
  const { others } = await connect('v1', 'stdio');
  expect(await errorOf(others.get('everything__args-prompt', {}))).toMatchObject({
    data: { 'dev.seneschal/decision': { reason: 'arguments-invalid' } },
  });
});

test('explain says of a prompt and of a URI what get and read do', async () => {
  const explain = (...question: readonly string[]): Promise<{ readonly stdout: string }> =>
    home.run(['policy', 'explain', '--as', 'agent:reader', '--output', 'json', ...question]);
  const effectOf = async (...question: readonly string[]): Promise<unknown> =>
    (JSON.parse((await explain(...question)).stdout) as { effect: unknown }).effect;
  expect(await effectOf('get', 'prompt:everything/args-prompt')).toBe('allow');
  expect(await effectOf('get', 'prompt:everything/resource-prompt')).toBe('deny');
  expect(await effectOf('read', 'resource:everything/demo://resource/dynamic/text/12')).toBe('allow');
  expect(await effectOf('read', 'resource:everything/demo://resource/dynamic/text/13')).toBe('deny');
  expect(await effectOf('complete', 'prompt:everything/args-prompt')).toBe('deny');
});

test('each operation is recorded with its target, and replays without a difference', async () => {
  const acts = ledgerOf(home)
    .filter(({ kind }) => kind === 'call.admitted')
    .map(({ entry }) => `${entry.action as string} ${(entry.target as { id: string }).id}`);
  for (const act of [
    'get prompt:everything/args-prompt',
    'read resource:everything/demo://resource/static/document/features.md',
    'read resource:everything/demo://resource/dynamic/text/7',
    'complete prompt:everything/completable-prompt',
    `complete resource:everything/${TEXT_TEMPLATE}`,
  ]) {
    expect(acts).toContain(act);
  }
  const refused = ledgerOf(home).filter(({ kind }) => kind === 'call.refused');
  const reasons = new Set(refused.map(({ entry }) => entry.reason));
  expect(reasons).toContain('unknown-prompt');
  expect(reasons).toContain('unknown-resource');
  expect(reasons).toContain('policy-denied');
  await Promise.all(open.splice(0).map((client) => client.close()));
  await served.stop();
  const replayed = await home.run(['replay', 'decide', '--output', 'json']);
  expect([replayed.code, JSON.parse(replayed.stdout)]).toEqual([
    0,
    expect.objectContaining({ differenceCount: 0, missing: [], undecidable: 0 }),
  ]);
});
