import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { buildCatalog, type Catalog, type CatalogInput } from '../../../src/registry/catalog.ts';
import { loadRegistry } from '../../../src/registry/load.ts';
import { definitionDigest } from '../../../src/registry/pins/definition.ts';
import { type Pins, pinOf } from '../../../src/registry/pins/pin.ts';
import { agreedPins, listed, tool } from '../../fixtures/catalog-parts.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';

const SETTINGS = 'transport: { type: stdio, command: node }\n';

function build(more: Partial<CatalogInput> & { yaml?: string } = {}): Catalog {
  const { yaml = 'pin: auto\n', ...input } = more;
  return buildCatalog({
    registry: loadRegistry({ 'servers/s.yaml': `name: s\n${SETTINGS}${yaml}` }),
    lock: new Map(),
    pins: new Map(),
    discovered: new Map(),
    admit: () => ({ admitted: true }),
    ...input,
  });
}

const stateOf = (catalog: Catalog, name: string): string | undefined => {
  const state = catalog.tools.find((each) => each.tool === name);
  return state && `${state.status}${state.reason === undefined ? '' : `: ${state.reason}`}`;
};

describe('with `pin: auto`', () => {
  test('a new tool is active and is returned as a new pin', () => {
    const definition = tool('read');
    const catalog = build({ discovered: listed('s', definition) });
    expect(catalog.targets.map(({ exposedName }) => exposedName)).toEqual(['s__read']);
    const digest = catalog.targets[0]?.definitionDigest;
    expect(catalog.newPins).toEqual([{ server: 's', tool: 'read', digest, definition }]);
  });

  test('a pinned tool is not pinned again', () => {
    const catalog = build({ pins: agreedPins('s', tool('read')), discovered: listed('s', tool('read')) });
    expect(catalog.targets).toHaveLength(1);
    expect(catalog.newPins).toEqual([]);
  });

  test('the lock takes precedence over a first-seen pin', () => {
    const changed = tool('read', { description: 'changed' });
    const catalog = build({
      pins: agreedPins('s', tool('read')),
      lock: agreedPins('s', changed),
      discovered: listed('s', changed),
    });
    expect(stateOf(catalog, 'read')).toBe('active');
  });
});

describe('with `pin: lock`', () => {
  test('a tool that is not in the lock is hidden', () => {
    const catalog = build({ yaml: 'pin: lock\n', discovered: listed('s', tool('read')) });
    expect(stateOf(catalog, 'read')).toBe('unpinned: it is not in `registry.lock`');
    expect(catalog.targets).toEqual([]);
    expect(catalog.newPins).toEqual([]);
  });

  test('an old first-seen pin does not count', () => {
    const catalog = build({
      yaml: 'pin: lock\n',
      pins: agreedPins('s', tool('read')),
      discovered: listed('s', tool('read')),
    });
    expect(catalog.targets).toEqual([]);
  });
});

describe('a tool is quarantined when', () => {
  test.each([
    ['its schemas are not admitted', tool('bad'), 'bad', 'quarantined: too deep'],
    [
      'it has no `inputSchema`',
      { name: 'none' },
      'none',
      'quarantined: its definition is not a valid MCP tool (`inputSchema`)',
    ],
    [
      'its name holds a space',
      tool('a b'),
      'a b',
      'quarantined: its name is not 1 to 128 of the characters `A-Z a-z 0-9 _ - .`',
    ],
    [
      'its name is too long to be exposed',
      tool('x'.repeat(126)),
      'x'.repeat(126),
      `quarantined: \`s__${'x'.repeat(126)}\` has more than 128 characters`,
    ],
    [
      'its name is a key no map may hold',
      tool('constructor'),
      'constructor',
      'quarantined: its name is reserved in JavaScript objects',
    ],
    [
      'its definition has no canonical form',
      tool('odd', { description: '\ud800' }),
      'odd',
      'quarantined: its definition has no canonical form',
    ],
    [
      'it is callable as a task only',
      tool('task', { execution: { taskSupport: 'required' } }),
      'task',
      'quarantined: it can only be called as a task, and tasks are not supported',
    ],
  ])('%s', (_why, definition, name, expected) => {
    const catalog = build({
      discovered: listed('s', definition),
      admit: ({ name: admitted }) =>
        admitted === 'bad' ? { admitted: false, reason: 'too deep' } : { admitted: true },
    });
    expect(stateOf(catalog, name)).toBe(expected);
    expect(catalog.targets).toEqual([]);
  });

  test('the server lists two tools with its name', () => {
    const catalog = build({
      discovered: listed('s', tool('read'), tool('read', { description: 'other' }), tool('write')),
    });
    expect(catalog.tools.map(({ status }) => status)).toEqual(['quarantined', 'quarantined', 'active']);
  });

  test('it is not an object, and the others stay', () => {
    const catalog = build({ discovered: new Map([['s', { status: 'listed', tools: [null, 7, tool('read')] }]]) });
    expect(catalog.targets.map(({ id }) => id)).toEqual(['tool:s/read']);
  });
});

describe('a target', () => {
  const yaml =
    'pin: auto\ntimeout: 9s\ntools:\n  read: { risk: read, costUsd: "0.002", labels: [safe], output: { type: object }, timeout: 2s }\n';

  test('has the settings of its tool', () => {
    const definition = tool('read');
    const { targets } = build({ yaml, discovered: listed('s', definition) });
    expect(targets[0]).toEqual({
      kind: 'tool',
      id: 'tool:s/read',
      server: 's',
      tool: 'read',
      exposedName: 's__read',
      risk: 'read',
      labels: ['safe'],
      costNanoUsd: 2_000_000,
      timeoutMs: 2_000,
      maxResultBytes: 1_048_576,
      payloads: 'digest',
      payloadMaxBytes: 65_536,
      definitionDigest: targets[0]?.definitionDigest,
      definition,
      inputSchema: { type: 'object' },
      outputSchema: { type: 'object' },
    });
  });

  test('without settings is destructive and free', () => {
    const { targets } = build({ yaml, discovered: listed('s', tool('other')) });
    expect(targets[0]).toMatchObject({ risk: 'destructive', costNanoUsd: 0, timeoutMs: 9_000 });
  });

  test('resolves by its exposed name and no other', () => {
    const { resolve } = build({ discovered: listed('s', tool('read')) });
    expect(resolve('s__read')).toMatchObject({ kind: 'tool', tool: 'read' });
    expect(resolve('read')).toBeUndefined();
    expect(resolve('__proto__')).toBeUndefined();
  });

  test('prefers the tool’s own `outputSchema` over the operator’s', () => {
    const own = { type: 'object', required: ['x'] };
    const { targets } = build({ yaml, discovered: listed('s', tool('read', { outputSchema: own })) });
    expect(targets[0]?.outputSchema).toEqual(own);
  });

  test('keeps its schema objects while the definition stays the same', () => {
    const first = build({ yaml, discovered: listed('s', tool('read')) });
    const second = build({ yaml, discovered: listed('s', tool('read')), previous: first });
    expect(second.targets[0]?.inputSchema).toBe(first.targets[0]?.inputSchema);
    expect(second.targets[0]?.outputSchema).toBe(first.targets[0]?.outputSchema);
  });
});

describe('a catalog', () => {
  test('lists its targets in the order of their exposed names', () => {
    const { targets } = build({ discovered: listed('s', tool('b'), tool('a'), tool('C')) });
    expect(targets.map(({ exposedName }) => exposedName)).toEqual(['s__C', 's__a', 's__b']);
  });

  verifies('F11')('of 50,000 listed tools, 10,000 are read, with a warning', () => {
    const tools = Array.from({ length: 50_000 }, (_, index) => tool(`t${index}`));
    const { targets, findings } = build({ yaml: 'pin: auto\n', discovered: listed('s', ...tools) });
    expect(targets.length).toBe(10_000);
    expect(findings).toEqual([
      { server: 's', message: 'the server lists more than 10000 tools; only the first 10000 are read (`maxTools`)' },
    ]);
  });

  test('warns about a failed server, an unknown tool in the settings and too many tools', () => {
    expect(build({ discovered: new Map([['s', { status: 'failed', error: 'no such command' }]]) }).findings).toEqual([
      { server: 's', message: 'no such command' },
    ]);
    const yaml = 'pin: auto\nmaxTools: 1\ntools: { wriet: { risk: write } }\n';
    expect(build({ yaml, discovered: listed('s', tool('a'), tool('b')) }).findings).toEqual([
      { server: 's', message: 'the server lists more than 1 tools; only the first 1 are read (`maxTools`)' },
      { server: 's', message: '`tools` names `wriet`, which the server does not have' },
    ]);
  });

  test('has no features of a server that was not listed, unless it assumes the pins', () => {
    const pins = agreedPins('s', tool('read'));
    expect(build({ pins }).targets).toEqual([]);
    expect(build({ pins, assumePinned: true }).targets.map(({ id }) => id)).toEqual(['tool:s/read']);
  });

  test('reports a pinned tool that is missing', () => {
    const catalog = build({ pins: agreedPins('s', tool('read')), discovered: listed('s', tool('write')) });
    expect(stateOf(catalog, 'read')).toBe('missing: it is pinned, but the server does not declare it');
  });
});

test('a definition that the strict parser refuses has no digest', () => {
  const definition: JsonObject = { name: 'x', inputSchema: { properties: { constructor: {} } } };
  expect(definitionDigest(definition)).toEqual({
    rejectionReason: 'its definition is refused as JSON (forbidden-key)',
  });
});

test('a pin whose definition is of another tool is corrupt', () => {
  const digest = definitionDigest(tool('a'));
  expect(pinOf('b', 'digest' in digest ? digest.digest : '', tool('a'))).toEqual({ kind: 'corrupt' });
  const pins: Pins = new Map([['s', new Map([['b', pinOf('b', 'sha256:0', tool('b'))]])]]);
  expect(stateOf(build({ pins, discovered: listed('s', tool('b')) }), 'b')).toMatch(/^pin-corrupt/);
});
