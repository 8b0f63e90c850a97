import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { buildCatalog, type Catalog, type ListedServer } from '../../../src/registry/catalog.ts';
import { loadRegistry } from '../../../src/registry/load.ts';

type Offers = Omit<ListedServer, 'status' | 'tools'>;

function catalogOf(servers: Readonly<Record<string, Offers>>, previous?: Catalog): Catalog {
  const texts = Object.keys(servers).map((name): [string, string] => [
    `servers/${name}.yaml`,
    `name: ${name}\ntransport: { type: stdio, command: node }\npin: auto\nmaxTools: 3\n`,
  ]);
  return buildCatalog({
    registry: loadRegistry(Object.fromEntries(texts)),
    ...{ lock: new Map(), pins: new Map(), admit: () => ({ admitted: true }) },
    discovered: new Map(
      Object.entries(servers).map(([name, offers]) => [name, { status: 'listed', tools: [], ...offers }]),
    ),
    ...(previous === undefined ? {} : { previous }),
  });
}

const resource = (uri: string): JsonObject => ({ uri, name: uri });
const template = (uriTemplate: string): JsonObject => ({ uriTemplate, name: 't' });
const shown = ({ resources }: Catalog): readonly string[] => resources.map(({ exposedName }) => exposedName);

describe('a URI', () => {
  test('of one server is shown unchanged and resolves to that server', () => {
    const catalog = catalogOf({ a: { resources: [resource('memo:one')] }, b: { resources: [resource('memo:two')] } });
    expect(shown(catalog)).toEqual(['memo:one', 'memo:two']);
    expect(catalog.resolve('memo:two', 'resource')).toMatchObject({ id: 'resource:b/memo:two', uri: 'memo:two' });
  });

  test('of two servers is qualified by its server, and unqualified it resolves to neither', () => {
    const catalog = catalogOf({ a: { resources: [resource('memo:one')] }, b: { resources: [resource('memo:one')] } });
    expect(shown(catalog)).toEqual(['seneschal://a/memo:one', 'seneschal://b/memo:one']);
    expect(catalog.resolve('memo:one', 'resource')).toBeUndefined();
    expect(catalog.resolve('seneschal://b/memo:one', 'resource')).toMatchObject({ server: 'b', uri: 'memo:one' });
  });

  test('that one server lists and a template of another matches resolves to neither', () => {
    const catalog = catalogOf({
      a: { templates: [template('file:///{name}')] },
      b: { resources: [resource('file:///secret')] },
    });
    expect(shown(catalog)).toEqual(['seneschal://b/file:///secret']);
    expect(catalog.resolve('file:///secret', 'resource')).toBeUndefined();
    expect(catalog.resolve('seneschal://a/file:///secret', 'resource')).toMatchObject({ server: 'a' });
    expect(catalog.resolve('file:///other', 'resource')).toMatchObject({ server: 'a', uri: 'file:///other' });
  });

  test('can be qualified when it need not be', () => {
    const catalog = catalogOf({ a: { resources: [resource('memo:one')] } });
    expect(catalog.resolve('seneschal://a/memo:one', 'resource')).toMatchObject({ id: 'resource:a/memo:one' });
  });

  test('resolves from every spelling by its normal form', () => {
    const { resolve } = catalogOf({ a: { templates: [template('file:///{dir}/{name}')] } });
    expect(resolve('FILE:///x/../d/%6eote', 'resource')).toMatchObject({ id: 'resource:a/file:///d/note' });
  });
});

test('two servers with the same template have it qualified', () => {
  const both = { templates: [template('file:///{+path}')] };
  const { templates, resolve } = catalogOf({ a: both, b: both });
  const names = templates.map(({ exposedName }) => exposedName);
  expect(names).toEqual(['seneschal://a/file:///{+path}', 'seneschal://b/file:///{+path}']);
  expect(resolve('seneschal://b/file:///{+path}', 'template')).toMatchObject({ server: 'b' });
});

test('a resource that is listed twice, not in normal form, or in the reserved scheme is not shown', () => {
  const catalog = catalogOf({
    a: { resources: [resource('memo:one'), resource('memo:one'), resource('FILE:///x')] },
    b: { resources: [resource('seneschal://a/memo:one'), resource('file:///a b'), resource('http://u:p@h/')] },
  });
  expect(shown(catalog)).toEqual(['memo:one']);
  expect(catalog.findings).toEqual([
    { server: 'a', message: '2 resources are not shown: listed twice, invalid, or their URI is not in normal form' },
    { server: 'b', message: '3 resources are not shown: listed twice, invalid, or their URI is not in normal form' },
  ]);
});

test('more resources than `maxTools` are not read', () => {
  const catalog = catalogOf({ a: { resources: ['1', '2', '3', '4'].map((each) => resource(`memo:${each}`)) } });
  expect(catalog.resources).toHaveLength(3);
  expect(catalog.findings[0]?.message).toBe('the server lists 4 resources; only the first 3 are read (`maxTools`)');
});

test('a template without scheme, or with the reserved one, is quarantined', () => {
  const { templates, states } = catalogOf({
    a: { templates: [template('{+uri}'), template('seneschal://b/{x}'), template('memo:{x}')] },
  });
  expect(templates.map(({ uriTemplate }) => uriTemplate)).toEqual(['memo:{x}']);
  expect(states.map(({ id, status, reason }) => `${id} ${status} ${reason ?? ''}`.trim())).toEqual([
    'resource:a/{+uri} quarantined its template is refused: it does not begin with a scheme in lower case',
    'resource:a/seneschal://b/{x} quarantined the scheme `seneschal:` is reserved for the broker',
    'resource:a/memo:{x} active',
  ]);
});

describe('a prompt', () => {
  const before = catalogOf({ a: { prompts: [{ name: 'greet', description: 'says hello' }] } });

  test('is pinned and drifts like a tool', () => {
    expect(before.newPins).toMatchObject([{ server: 'a', tool: 'prompt:greet' }]);
    const [pin] = before.newPins;
    if (pin === undefined) throw new Error('it was pinned');
    const pins = new Map([['a', new Map([[pin.tool, { kind: 'agreed' as const, ...pin }]])]]);
    const changed = buildCatalog({
      registry: loadRegistry({ 'servers/a.yaml': 'name: a\ntransport: { type: stdio, command: node }\npin: auto\n' }),
      ...{ lock: new Map(), pins, admit: () => ({ admitted: true }) },
      discovered: new Map([['a', { status: 'listed', tools: [], prompts: [{ name: 'greet', description: 'obey' }] }]]),
    });
    expect(changed.prompts).toEqual([]);
    expect(changed.drifts).toMatchObject([{ id: 'prompt:a/greet', status: 'drifted' }]);
  });

  test('keeps its definition object while it is equal', () => {
    const after = catalogOf({ a: { prompts: [{ name: 'greet', description: 'says hello' }] } }, before);
    expect(after.prompts[0]?.definition).toBe(before.prompts[0]?.definition);
  });

  test('has string arguments, and required ones must be present', () => {
    const { prompts } = catalogOf({
      a: { prompts: [{ name: 'p', arguments: [{ name: 'x', required: true }, { name: 'y' }] }] },
    });
    expect(prompts[0]?.inputSchema).toEqual({
      type: 'object',
      additionalProperties: { type: 'string' },
      required: ['x'],
    });
  });
});
