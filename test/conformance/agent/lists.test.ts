import { expect } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import { completed } from '../../fixtures/http-harness.ts';
import { verifies } from '../requirements/verifies.ts';
import type { AgentWire } from '../wires/agent-wire.ts';

const LISTS = [
  ['tools/list', 'tool', 'tools'],
  ['prompts/list', 'prompt', 'prompts'],
  ['resources/list', 'resource', 'resources'],
  ['resources/templates/list', 'template', 'resourceTemplates'],
] as const;

/** Puts one entry on every list, named after it. */
function fill({ broker }: AgentWire): void {
  broker.visibleLists.list = (_principal, kind) => ({ definitions: [{ name: `one ${kind}` }] });
}

async function resultOf(wire: AgentWire, method: string, params: JsonObject = {}): Promise<JsonObject> {
  // `as`: a list that is answered has an object as result.
  return (await wire.request(method, params)).message.result as JsonObject;
}

for (const [method, kind, member] of LISTS) {
  verifies(
    'agents.lists.kinds',
    async (wire) => {
      fill(wire);
      expect((await resultOf(wire, method))[member]).toEqual([{ name: `one ${kind}` }]);
    },
    method,
  );
  verifies(
    'agents.lists.caching',
    async (wire) => {
      fill(wire);
      const { ttlMs, cacheScope } = await resultOf(wire, method);
      expect([ttlMs, cacheScope]).toEqual(wire.era === 'modern' ? [5_000, 'private'] : [undefined, undefined]);
    },
    method,
  );
  verifies(
    'agents.lists.cursor-invalid',
    async (wire) => {
      for (const cursor of ['', 'x', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA', 7]) {
        expect((await wire.request(method, { cursor })).message).toMatchObject({ error: { code: -32602 } });
      }
    },
    method,
  );
}

verifies('agents.lists.order', async (wire) => {
  wire.broker.tools = ['b', 'a', 'c'].map((name) => ({ name, inputSchema: { type: 'object' } }));
  const first = await resultOf(wire, 'tools/list');
  expect(first.tools).toEqual((await resultOf(wire, 'tools/list')).tools);
});

verifies('agents.lists.pages', async (wire) => {
  wire.broker.tools = Array.from({ length: 5_200 }, (_, index) => ({ name: `t${index}` }));
  const sizes: number[] = [];
  const names = new Set<unknown>();
  let cursor: JsonObject = {};
  do {
    const { tools, nextCursor } = await resultOf(wire, 'tools/list', cursor);
    // `as`: the member of a list is one.
    const page = tools as readonly JsonObject[];
    sizes.push(page.length);
    for (const { name } of page) names.add(name);
    cursor = nextCursor === undefined ? {} : { cursor: nextCursor };
  } while (cursor.cursor !== undefined);
  expect([sizes, names.size]).toEqual([[2_500, 2_500, 200], 5_200]);
});

const UNUSUAL: JsonObject = {
  name: 'files__unusual',
  title: 'Ünusual',
  description: 'has everything',
  inputSchema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: { a: { $anchor: 'x', type: 'string' } },
    properties: { a: { $ref: '#/$defs/a' } },
    allOf: [{ anyOf: [{ required: ['a'] }] }],
    if: { required: ['a'] },
    else: { required: ['b'] },
    additionalProperties: false,
  },
  outputSchema: { type: 'object', properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: { type: 'integer' } } },
  annotations: { readOnlyHint: true, 'x-vendor': { deep: [null] } },
  icons: [{ src: 'data:image/png;base64,AA==' }],
  _meta: { 'example.org/key': 1 },
  'x-vendor': [{ more: true }],
};

verifies('agents.lists.verbatim', async (wire) => {
  wire.broker.tools = [UNUSUAL];
  expect((await resultOf(wire, 'tools/list')).tools).toEqual([UNUSUAL]);
});

/** Schemas that 2026-07-28 allows and the revisions before it do not. */
const MODERN_ONLY: JsonObject = {
  name: 'files__numbers',
  inputSchema: { type: 'object', properties: { any: true, none: false, text: { type: 'string' } } },
  outputSchema: { type: 'array', items: { $ref: '#/$defs/n' }, $defs: { n: { type: 'integer' } } },
};
const SHOWN_BEFORE: JsonObject = {
  name: 'files__numbers',
  inputSchema: { type: 'object', properties: { any: {}, none: { not: {} }, text: { type: 'string' } } },
  outputSchema: {
    type: 'object',
    properties: {
      result: {
        type: 'array',
        items: { $ref: '#/properties/result/$defs/n' },
        $defs: { n: { type: 'integer' } },
      },
    },
    required: ['result'],
  },
};

verifies('agents.schemas.shown', async (wire) => {
  wire.broker.tools = [MODERN_ONLY];
  expect((await resultOf(wire, 'tools/list')).tools).toEqual([wire.era === 'modern' ? MODERN_ONLY : SHOWN_BEFORE]);
});

verifies('agents.schemas.results', async (wire) => {
  wire.broker.behaviour = () => ({
    ...completed({ content: [], structuredContent: [1, 2] }),
    declaredOutput: MODERN_ONLY.outputSchema,
  });
  const { structuredContent } = await resultOf(wire, 'tools/call', { name: 'files__numbers', arguments: {} });
  expect(structuredContent).toEqual(wire.era === 'modern' ? [1, 2] : { result: [1, 2] });
});
