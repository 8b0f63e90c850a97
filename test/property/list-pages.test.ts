import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Snapshot } from '../../src/broker/snapshot.ts';
import { VisibleList } from '../../src/broker/visible-lists.ts';
import type { Principal } from '../../src/domain/principal.ts';
import type { ToolTarget } from '../../src/domain/target.ts';
import { Paginator } from '../../src/ingress/mcp/methods/paginator.ts';
import { principalNamed } from '../fixtures/http-harness.ts';
import { NO_INPUT_REQUESTS } from '../fixtures/input-requests.ts';

const AGENTS = ['a', 'b', 'c'];
const PRINCIPALS = AGENTS.map(principalNamed);

/** Which of the tools `t0`, `t1`, … each of the agents may see, and what all of them say of themselves. */
interface GeneratedSnapshot {
  readonly seen: readonly (readonly boolean[])[];
  readonly description: string;
}

const generatedSnapshot: fc.Arbitrary<GeneratedSnapshot> = fc.record({
  seen: fc.array(
    // Agents that see the same share a list: let that be often so.
    fc.oneof(fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()), fc.constant([true, true, true])),
    { maxLength: 12 },
  ),
  description: fc.constantFrom('looks up', 'räumt auf', '片付ける 🧹'),
});

const sizes = fc.record({
  pageSize: fc.integer({ min: 1, max: 5 }),
  pageBytes: fc.constantFrom(1, 120, 1_000),
  bytesKept: fc.constantFrom(0, 200, 10_000),
});

function snapshotOf({ seen, description }: GeneratedSnapshot): Snapshot {
  const targets = seen.map((_, index): ToolTarget => {
    const name = `t${index}`;
    return {
      ...{ kind: 'tool', id: `tool:x/${name}`, server: 'x', tool: name, exposedName: `x__${name}`, risk: 'read' },
      ...{ labels: [], costNanoUsd: 0, timeoutMs: 1, maxResultBytes: 1, payloads: 'keep' },
      ...{ definitionDigest: 'sha256:00', definition: { name, description }, inputSchema: {} },
    };
  });
  return {
    ...{ revision: 'sha256:cc', registry: 'sha256:bb', requestControls: [], responseControls: [], isComplete: true },
    ...NO_INPUT_REQUESTS,
    features: { tool: targets, prompt: [], resource: [], template: [] },
    resolve: () => undefined,
    viewOf: () => undefined,
    subjectsOf: ({ id }) => [id],
    isVisible: ({ principal }, target) => {
      const index = target.kind === 'tool' ? targets.indexOf(target) : -1;
      return seen[index]?.[PRINCIPALS.findIndex(({ id }) => id === principal.id)] ?? false;
    },
    couldBeAllowed: () => true,
  };
}

/** What one of the agents sees from then on. */
const changeOfOne = fc.record({ agent: fc.nat(2), seen: fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }) });

function changed(
  snapshot: GeneratedSnapshot,
  { agent, seen }: { agent: number; seen: readonly boolean[] },
): GeneratedSnapshot {
  return {
    ...snapshot,
    seen: snapshot.seen.map((row, tool) => row.map((is, of) => (of === agent ? (seen[tool] ?? is) : is))),
  };
}

/** The governed list as it is defined, without any of what makes it quick. */
function visibleTools(snapshot: Snapshot, principal: Principal): unknown[] {
  return snapshot.features.tool
    .filter((target) => snapshot.isVisible({ principal, subjects: [principal.id] }, target))
    .map(({ definition, exposedName }) => ({ ...definition, name: exposedName }));
}

const RUNS = { numRuns: 150, seed: 20_260_131 };

test('the pages together are the visible list, each tool once, in order, for every principal in every snapshot', () => {
  const property = fc.property(
    fc.array(generatedSnapshot, { minLength: 1, maxLength: 4 }),
    sizes,
    (generated, options) => {
      const snapshots = generated.map(snapshotOf);
      const pages = new Paginator(Buffer.alloc(32, 7), options);
      const [first, ...later] = snapshots;
      if (!first) throw new Error('a run has a snapshot');
      const visibility = new VisibleList(first, 'tool');
      for (const snapshot of snapshots) {
        if (later.includes(snapshot)) visibility.applySnapshot(snapshot);
        for (const principal of [...PRINCIPALS, ...PRINCIPALS]) {
          expect(readAll(pages, visibility, principal)).toEqual(visibleTools(snapshot, principal));
        }
      }
    },
  );
  fc.assert(property, RUNS);
});

test('a cursor continues its list, and is refused once its principal sees another list', () => {
  let refused = 0;
  let continued = 0;
  const property = fc.property(generatedSnapshot, changeOfOne, sizes, (one, change, options) => {
    const [before, after] = [snapshotOf(one), snapshotOf(changed(one, change))];
    const pages = new Paginator(Buffer.alloc(32, 7), options);
    const visibility = new VisibleList(before, 'tool');
    const opened = PRINCIPALS.map((principal) => {
      const page = pages.page(visibility.list(principal), principal.id, undefined);
      return { principal, head: toolsOf(page?.features), cursor: page?.nextCursor };
    });
    visibility.applySnapshot(after);
    for (const { principal, head, cursor } of opened) {
      if (cursor === undefined) continue;
      const isSame = JSON.stringify(visibleTools(before, principal)) === JSON.stringify(visibleTools(after, principal));
      const next = pages.page(visibility.list(principal), principal.id, cursor);
      if (isSame) {
        continued += 1;
        const rest = readAll(pages, visibility, principal, cursor);
        expect([...head, ...rest]).toEqual(visibleTools(after, principal));
      } else {
        refused += 1;
        expect(next).toBeUndefined();
      }
      for (const other of PRINCIPALS.filter(({ id }) => id !== principal.id)) {
        expect(pages.page(visibility.list(other), other.id, cursor)).toBeUndefined();
      }
    }
  });
  fc.assert(property, RUNS);
  expect(Math.min(refused, continued)).toBeGreaterThan(10);
});

test('agents that see the same share one list, and one that sees less does not', () => {
  const visibility = new VisibleList(
    snapshotOf({
      seen: [
        [true, true, true],
        [true, true, false],
      ],
      description: 'x',
    }),
    'tool',
  );
  const [a, b, c] = PRINCIPALS.map((principal) => visibility.list(principal));
  expect([a === b, a === c]).toEqual([true, false]);
  visibility.applySnapshot(
    snapshotOf({
      seen: [
        [true, true, true],
        [true, false, false],
      ],
      description: 'x',
    }),
  );
  const [a2, b2, c2] = PRINCIPALS.map((principal) => visibility.list(principal));
  // The list of `a` and of `c` is as it was; `b` sees what `c` sees.
  expect([a2 === a, c2 === c, b2 === a2, JSON.stringify(b2) === JSON.stringify(c2)]).toEqual([true, true, false, true]);
});

function readAll(pages: Paginator, visibility: VisibleList, principal: Principal, from?: string): unknown[] {
  const tools: unknown[] = [];
  let cursor = from;
  do {
    const page = pages.page(visibility.list(principal), principal.id, cursor);
    if (!page) throw new Error('a cursor that was just given is good');
    tools.push(...toolsOf(page.features));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return tools;
}

function toolsOf(bytes: Uint8Array | undefined): unknown[] {
  const tools: unknown = JSON.parse(Buffer.from(bytes ?? []).toString());
  return Array.isArray(tools) ? tools : [];
}
