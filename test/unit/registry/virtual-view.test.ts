import { expect, test } from 'vitest';
import type { View } from '../../../src/domain/view.ts';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { buildCatalog, type Catalog, type ListedServer, type ServerDiscovery } from '../../../src/registry/catalog.ts';
import { loadRegistry } from '../../../src/registry/load.ts';
import { tool } from '../../fixtures/catalog-parts.ts';

interface CatalogFiles {
  readonly virtual: string;
  readonly servers: Readonly<Record<string, Partial<ListedServer> | undefined>>;
  readonly previous?: Catalog;
}

function catalogOf({ virtual, servers, previous }: CatalogFiles): Catalog {
  const files: Record<string, string> = { 'virtual/v.yaml': `name: v\n${virtual}` };
  for (const name of Object.keys(servers)) {
    files[`servers/${name}.yaml`] = `name: ${name}\ntransport: { type: stdio, command: "true" }\npin: auto\n`;
  }
  const observed = new Map<string, ServerDiscovery>();
  for (const [name, listed] of Object.entries(servers)) {
    if (listed !== undefined) observed.set(name, { status: 'listed', tools: [], ...listed });
  }
  return buildCatalog({
    ...{ registry: loadRegistry(files), lock: new Map(), pins: new Map(), discovered: observed },
    admit: () => ({ admitted: true }),
    ...(previous === undefined ? {} : { previous }),
  });
}

function viewOf(catalog: Catalog): View {
  const view = catalog.viewOf('virtual:v');
  if (view === undefined) throw new Error('the view is declared');
  return view;
}

const shown = (catalog: Catalog, kind: keyof View['features'] = 'tool'): readonly string[] =>
  viewOf(catalog).features[kind].map(({ exposedName, id }) => `${exposedName} = ${id}`);
const warningsOf = ({ findings }: Catalog): readonly string[] =>
  findings.map(({ server, at, message, hint }) => `${server} ${at} ${message}; ${hint}`);

test('tools and prompts are shown under their own names or those of `rename`', () => {
  const catalog = catalogOf({
    virtual: `tools: { include: ["a/get_*"], exclude: ["a/get_secret"], rename: { seek: b/find } }
prompts: { include: ["b/*"] }
`,
    servers: {
      a: { tools: [tool('get_issue'), tool('get_secret'), tool('close')] },
      b: { tools: [tool('find')], prompts: [{ name: 'greet' }] },
    },
  });
  expect(shown(catalog)).toEqual(['get_issue = tool:a/get_issue', 'seek = tool:b/find']);
  expect(shown(catalog, 'prompt')).toEqual(['greet = prompt:b/greet']);
  for (const name of ['find', 'close', 'get_secret', 'a__get_issue', 'b__find']) {
    expect(viewOf(catalog).resolve(name, 'tool')).toBeUndefined();
  }
  expect(warningsOf(catalog)).toEqual([]);
});

test('features with the same name are hidden, with a warning at the selection', () => {
  const catalog = catalogOf({
    virtual: 'tools: { include: ["*/*"] }\n',
    servers: { a: { tools: [tool('find'), tool('open')] }, b: { tools: [tool('find'), tool('0pen')] } },
  });
  expect(shown(catalog)).toEqual([]);
  const hint = 'give one of them another name under `rename`, or exclude it';
  expect(warningsOf(catalog)).toEqual([
    `v registry/virtual/v.yaml:2:8 \`a/find\` is not shown: \`b/find\` has the same name, \`find\`; ${hint}`,
    `v registry/virtual/v.yaml:2:8 \`a/open\` is not shown: its name looks like \`0pen\` of \`b/0pen\`; ${hint}`,
    `v registry/virtual/v.yaml:2:8 \`b/0pen\` is not shown: its name looks like \`open\` of \`a/open\`; ${hint}`,
    `v registry/virtual/v.yaml:2:8 \`b/find\` is not shown: \`a/find\` has the same name, \`find\`; ${hint}`,
  ]);
});

test('a name from `rename` is kept against a tool with that name', () => {
  const virtual = 'tools: { include: ["b/*"], rename: { find: a/seek, open: a/show } }\n';
  const catalog = catalogOf({
    virtual,
    servers: { a: { tools: [tool('seek'), tool('show')] }, b: { tools: [tool('find'), tool('0pen')] } },
  });
  expect(shown(catalog)).toEqual(['find = tool:a/seek', 'open = tool:a/show']);
  expect(catalog.findings.map(({ message }) => message)).toEqual([
    '`b/0pen` is not shown: its name looks like `open` of `a/show`',
    '`b/find` is not shown: `a/seek` has the same name, `find`',
  ]);
});

test('a fixed argument is removed from every part of the schema', () => {
  const inputSchema: JsonObject = {
    type: 'object',
    properties: { owner: { type: 'string' }, q: { type: 'string' } },
    required: ['owner', 'q'],
    anyOf: [{ required: ['owner'] }, { properties: { owner: { const: 'x' } } }],
    dependentRequired: { owner: ['q'], q: ['owner'] },
    additionalProperties: false,
  };
  const catalog = catalogOf({
    virtual: `tools:
  include: ["a/*"]
  override: { a/find: { title: Find, description: Finds ours, fixed: { owner: acme } } }
`,
    servers: { a: { tools: [tool('find', { inputSchema, annotations: { readOnlyHint: true } })] } },
  });
  const target = viewOf(catalog).resolve('find', 'tool');
  expect(target).toMatchObject({ id: 'tool:a/find', fixedArguments: { owner: 'acme' }, inputSchema });
  expect(target?.kind === 'tool' && target.override).toEqual({
    ...{ name: 'find', title: 'Find', description: 'Finds ours', annotations: { readOnlyHint: true } },
    inputSchema: {
      type: 'object',
      properties: { q: { type: 'string' } },
      required: ['q'],
      anyOf: [{}, { properties: {} }],
      dependentRequired: { q: [] },
      additionalProperties: false,
    },
  });
  expect(target?.definitionDigest).toBe(catalog.resolve('a__find')?.definitionDigest);
});

test('a fixed argument that the schema lacks hides its tool', () => {
  const catalog = catalogOf({
    virtual: 'tools:\n  include: ["a/*"]\n  override: { a/find: { fixed: { ownr: acme } } }\n',
    servers: { a: { tools: [tool('find', { inputSchema: { type: 'object', properties: { owner: {} } } })] } },
  });
  expect(shown(catalog)).toEqual([]);
  expect(warningsOf(catalog)).toEqual([
    'v registry/virtual/v.yaml:4:34 `a/find` is not shown: its schema has no argument `ownr` that could be fixed; use a name from `properties` of its `inputSchema`, or remove the argument',
  ]);
});

test('an unknown name is reported with the nearest one, once the server was listed', () => {
  const virtual = 'tools: { include: ["a/get_*"], rename: { seek: a/fnd } }\nresources: { include: ["a/memo:*"] }\n';
  expect(warningsOf(catalogOf({ virtual, servers: { a: undefined } }))).toEqual([]);
  expect(warningsOf(catalogOf({ virtual, servers: { a: { tools: [tool('find')] } } }))).toEqual([
    'v registry/virtual/v.yaml:2:48 `a` has no tool `fnd`; did you mean `a/find`?',
    'v registry/virtual/v.yaml:2:20 `a/get_*` matches nothing; run `seneschal registry list` to see the features of each server',
    'v registry/virtual/v.yaml:3:24 `a/memo:*` matches nothing; run `seneschal registry list` to see the features of each server',
  ]);
});

test('a URI is qualified only when several servers of the view have it', () => {
  const memo = [{ uri: 'memo:one', name: 'one' }];
  const virtual = (include: string): string => `resources: { include: [${include}] }\n`;
  const servers = { a: { resources: memo }, b: { resources: memo } };
  expect(shown(catalogOf({ virtual: virtual('"a/*"'), servers }), 'resource')).toEqual([
    'memo:one = resource:a/memo:one',
  ]);
  expect(shown(catalogOf({ virtual: virtual('"*/*"'), servers }), 'resource')).toEqual([
    'seneschal://a/memo:one = resource:a/memo:one',
    'seneschal://b/memo:one = resource:b/memo:one',
  ]);
});

test('an excluded URI does not resolve through a template', () => {
  const catalog = catalogOf({
    virtual: 'resources: { include: ["a/file:///*"], exclude: ["a/file:///secret/*"] }\n',
    servers: { a: { templates: [{ uriTemplate: 'file:///{+path}', name: 'files' }] } },
  });
  const view = viewOf(catalog);
  expect(view.resolve('file:///open/1', 'resource')?.id).toBe('resource:a/file:///open/1');
  for (const uri of ['file:///secret/1', 'file:///open/../secret/1', 'FILE:///%73ecret/1']) {
    expect(view.resolve(uri, 'resource')).toBeUndefined();
  }
});

test('an unchanged definition stays the same object', () => {
  const files = {
    virtual: 'tools: { rename: { seek: a/find } }\n',
    servers: { a: { tools: [tool('find')] } },
  };
  const before = catalogOf(files);
  const after = catalogOf({ ...files, servers: { a: { tools: [tool('find'), tool('more')] } }, previous: before });
  const presentedIn = (catalog: Catalog): unknown => {
    const target = viewOf(catalog).resolve('seek', 'tool');
    return target?.kind === 'tool' ? target.override : undefined;
  };
  expect(presentedIn(before)).toMatchObject({ name: 'seek' });
  expect(presentedIn(after)).toBe(presentedIn(before));
});
