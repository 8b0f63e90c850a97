import { expect, test } from 'vitest';
import type { Broker, CallRequest } from '../../../src/broker/broker.ts';
import { CallPipeline } from '../../../src/broker/pipeline.ts';
import type { Recorder } from '../../../src/broker/recorder.ts';
import type { Snapshot } from '../../../src/broker/snapshot.ts';
import { OPERATIONS } from '../../../src/domain/call.ts';
import type { Control } from '../../../src/domain/control.ts';
import type { DispatchResult } from '../../../src/domain/outcome.ts';
import type { ToolTarget } from '../../../src/domain/target.ts';
import { allow, deny } from '../../../src/domain/verdict.ts';
import { principalForOsUser } from '../../../src/identity/principal.ts';
import { SuspendedCallStore } from '../../../src/input-required/suspended-call-store.ts';
import { SILENT_LOG } from '../../../src/telemetry/log.ts';
import { NO_QUESTIONS } from '../../fixtures/input-requests.ts';

const principal = principalForOsUser('demo', 1000, (name) => ({ name, owner: 'ana@example.org' }));
if (!principal) throw new Error('the fixture has no principal');

const target: ToolTarget = {
  kind: 'tool',
  id: 'tool:files/read',
  server: 'files',
  tool: 'read',
  exposedName: 'files__read',
  risk: 'read',
  labels: [],
  costNanoUsd: 5,
  timeoutMs: 1_000,
  maxResultBytes: 1_000,
  payloads: 'keep',
  definitionDigest: 'sha256:00',
  definition: { name: 'read', inputSchema: { type: 'object' } },
  inputSchema: { type: 'object' },
};

const NOTHING: Snapshot['features'] = { tool: [], prompt: [], resource: [], template: [] };

const request: CallRequest = {
  principal,
  operation: OPERATIONS.callTool,
  exposedName: 'files__read',
  args: { path: 'a' },
  context: { transport: 'stdio', protocolVersion: '2025-11-25', session: 's' },
};

interface Stage {
  readonly broker: Broker & CallPipeline;
  readonly happened: string[];
}

/** The hall with a chain of its own, and the order in which things happened. */
function stage(change: {
  row?: readonly Partial<Control>[];
  resultRow?: readonly Partial<Control>[];
  admitted?: () => Promise<void>;
  closed?: () => Promise<void>;
  dispatch?: () => Promise<DispatchResult>;
  maySee?: boolean;
  maxCalls?: number;
}): Stage {
  const happened: string[] = [];
  const named = (controls: readonly Partial<Control>[] | undefined): readonly Control[] =>
    (controls ?? []).map((control, index) => ({
      name: index === 0 ? 'rate' : 'budget',
      gather: () => ({ index }),
      decide: () => allow(),
      settle: (_exchange, _facts, outcome) => happened.push(`settle ${index} ${outcome.kind}`),
      ...control,
    }));
  const world: Snapshot = {
    revision: 'sha256:aa',
    registry: 'sha256:bb',
    requestControls: named(change.row),
    responseControls: named(change.resultRow).map((control) => ({
      ...control,
      name: 'validate-output' as const,
      settle: () => {},
    })),
    ...NO_QUESTIONS,
    features: { ...NOTHING, tool: [target] },
    isComplete: true,
    viewOf: () => undefined,
    resolve: (name) => (name === target.exposedName ? target : undefined),
    subjectsOf: () => ['agent:demo'],
    isVisible: () => change.maySee ?? true,
    couldBeAllowed: () => change.maySee ?? true,
  };
  const recorder: Recorder = {
    admitted: change.admitted ?? (async () => void happened.push('admitted')),
    refused: async (_decided, refusal) => void happened.push(`refused ${refusal.reason}`),
    closed: change.closed ?? (async (ended) => void happened.push(`closed ${ended.outcome.kind} ${ended.costNanoUsd}`)),
    malformed: async () => {},
  };
  const broker = new CallPipeline(world, {
    recorder,
    dispatch: async () => {
      happened.push('dispatched');
      return change.dispatch ? change.dispatch() : { kind: 'completed', result: { content: [] }, resultBytes: 14 };
    },
    ...{ clock, ids, suspendedCallStore: new SuspendedCallStore({ clock, ids }), log: SILENT_LOG },
    rootsChanged: () => {},
    unsubscribe: () => {},
    maxCalls: change.maxCalls,
  });
  return { broker, happened };
}

const clock = { wallMs: () => 1, monotonicMs: () => 1 };
const ids = { uuidv7: () => 'id-1', randomBytes: (length: number) => new Uint8Array(length) };

const call = async ({ broker }: Stage, signal = new AbortController().signal) => broker.call(request, { signal });

test('an allowed call is admitted, dispatched, settled last control first, closed, and replied to', async () => {
  const hall = stage({ row: [{}, {}] });
  expect(await call(hall)).toEqual({
    callId: 'id-1',
    outcome: { kind: 'completed', result: { content: [] }, resultBytes: 14, resultText: '{"content":[]}' },
  });
  expect(hall.happened).toEqual([
    'admitted',
    'dispatched',
    'settle 1 completed',
    'settle 0 completed',
    'closed completed 5',
  ]);
});

test('a refused call is recorded and never dispatched, and what gathered is settled', async () => {
  const hall = stage({
    row: [{}, { decide: () => deny('budget-exhausted', 'spent', { rule: 'limits.yaml:3', retryAfterMs: 9 }) }],
  });
  expect((await call(hall)).outcome).toEqual({
    kind: 'refused',
    stage: 'budget',
    effect: 'deny',
    reason: 'budget-exhausted',
    message: 'spent',
    rule: 'limits.yaml:3',
    retryAfterMs: 9,
    visible: true,
  });
  expect(hall.happened).toEqual(['settle 1 refused', 'settle 0 refused', 'refused budget-exhausted']);
});

test('a control that throws refuses the call as indeterminate', async () => {
  const hall = stage({
    row: [
      {
        gather: () => {
          throw new Error('store is away');
        },
      },
    ],
  });
  expect((await call(hall)).outcome).toMatchObject({
    kind: 'refused',
    effect: 'indeterminate',
    reason: 'control-failed',
  });
  expect(hall.happened).toEqual(['refused control-failed']);
});

test('a verdict that throws settles the control that had gathered', async () => {
  const hall = stage({
    row: [
      {
        decide: () => {
          throw new Error('broken');
        },
      },
    ],
  });
  await call(hall);
  expect(hall.happened).toEqual(['settle 0 refused', 'refused control-failed']);
});

test('without a durable intent nothing is dispatched', async () => {
  const hall = stage({ row: [{}], admitted: () => Promise.reject(new Error('disk is full')) });
  expect((await call(hall)).outcome).toMatchObject({
    kind: 'refused',
    effect: 'indeterminate',
    reason: 'ledger-unavailable',
  });
  expect(hall.happened).toEqual(['settle 0 refused']);
});

test('an outcome that cannot be recorded is not told as done', async () => {
  const hall = stage({ closed: () => Promise.reject(new Error('disk is full')) });
  expect((await call(hall)).outcome).toMatchObject({ kind: 'failed', reason: 'ledger-unavailable', inDoubt: true });
});

test('a result that a control of the result row denies is withheld and stays charged', async () => {
  const hall = stage({ row: [{}], resultRow: [{ decide: () => deny('output-invalid', 'does not match') }] });
  expect((await call(hall)).outcome).toMatchObject({
    kind: 'refused',
    stage: 'validate-output',
    reason: 'output-invalid',
  });
  expect(hall.happened).toEqual(['admitted', 'dispatched', 'settle 0 refused', 'closed refused 5']);
});

test('a back door that throws leaves the call in doubt', async () => {
  const hall = stage({ dispatch: () => Promise.reject(new Error('defect')) });
  expect((await call(hall)).outcome).toMatchObject({ kind: 'failed', reason: 'upstream-lost', inDoubt: true });
});

test('a call that was cancelled before it was sent is not sent and costs nothing', async () => {
  const hall = stage({});
  expect((await call(hall, AbortSignal.abort())).outcome).toMatchObject({
    kind: 'failed',
    reason: 'cancelled',
    inDoubt: false,
  });
  expect(hall.happened).toEqual(['admitted', 'closed failed 0']);
});

test('an unknown name walks the same row as a hidden tool', async () => {
  const hall = stage({
    row: [{ decide: ({ call: { target: asked } }) => deny('unknown-tool', asked.id) }],
    maySee: false,
  });
  const unknown = await hall.broker.call(
    { ...request, exposedName: 'files__\u0000nothing' },
    { signal: new AbortController().signal },
  );
  expect(unknown.outcome).toMatchObject({ reason: 'unknown-tool', message: 'tool:unknown', visible: false });
});

test('a hall that drains refuses new calls, and records that it does', async () => {
  const hall = stage({});
  await hall.broker.drain();
  expect((await call(hall)).outcome).toMatchObject({ kind: 'refused', reason: 'shutting-down' });
  expect(hall.happened).toEqual(['refused shutting-down']);
});

test('a hall with as many calls under way as it takes refuses the next, until one has ended', async () => {
  let answer: () => void = () => {};
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const hall = stage({
    maxCalls: 1,
    dispatch: async () => {
      await answered;
      return { kind: 'completed', result: { content: [] }, resultBytes: 14 };
    },
  });
  const first = call(hall);
  expect((await call(hall)).outcome).toMatchObject({ kind: 'refused', reason: 'overloaded', retryAfterMs: 1_000 });
  answer();
  expect((await first).outcome.kind).toBe('completed');
  expect((await call(hall)).outcome.kind).toBe('completed');
  expect(hall.happened.filter((event) => event.startsWith('refused'))).toEqual(['refused overloaded']);
});

test('a change of the world tells only the principals whose list it changes', () => {
  const hall = stage({});
  const told: string[] = [];
  hall.broker.onListChanged((id) => told.push(id));
  expect(hall.broker.list(principal, 'tool').definitions).toEqual([
    { name: 'files__read', inputSchema: { type: 'object' } },
  ]);
  const { broker } = stage({});
  broker.applySnapshot({ ...worldWithout(), features: { ...NOTHING, tool: [target] } });
  hall.broker.applySnapshot({ ...worldWithout(), features: { ...NOTHING, tool: [target] } });
  expect(told).toEqual([]);
  hall.broker.applySnapshot(worldWithout());
  expect(told).toEqual(['agent:demo']);
  expect(hall.broker.list(principal, 'tool').definitions).toEqual([]);
});

test('a change of prompts is told as one of prompts, and to nobody who was shown none', () => {
  const { broker } = stage({});
  const { tool: _, inputSchema, ...common } = target;
  const prompt = { ...common, kind: 'prompt', id: 'prompt:files/greet', prompt: 'greet', inputSchema } as const;
  const told: string[] = [];
  broker.onListChanged((id, kind) => told.push(`${id} ${kind}`));
  const withPrompt = { ...worldWithout(), features: { ...NOTHING, tool: [target], prompt: [prompt] } };
  broker.applySnapshot(withPrompt);
  expect(told).toEqual([]);
  broker.list(principal, 'tool');
  broker.list(principal, 'prompt');
  broker.applySnapshot({ ...worldWithout(), features: { ...NOTHING, tool: [target] } });
  expect(told).toEqual(['agent:demo prompt']);
});

test('a principal is told of the surfaces that it has, and of all while a server was not listed', () => {
  const { broker } = stage({});
  expect(broker.capabilitiesOf(principal)).toEqual({
    prompts: false,
    resources: false,
    completions: false,
    subscriptions: false,
  });
  const { tool: _, inputSchema: __, ...common } = target;
  const template = { ...common, kind: 'template', id: 'resource:files/x:{a}', uriTemplate: 'x:{a}' } as const;
  broker.applySnapshot({ ...worldWithout(), features: { ...NOTHING, template: [template] } });
  expect(broker.capabilitiesOf(principal)).toEqual({
    prompts: false,
    resources: true,
    completions: true,
    subscriptions: true,
  });
  broker.applySnapshot({ ...worldWithout(), isComplete: false });
  expect(broker.capabilitiesOf(principal)).toEqual({
    prompts: true,
    resources: true,
    completions: true,
    subscriptions: true,
  });
});

function worldWithout(): Snapshot {
  return {
    revision: 'sha256:cc',
    registry: 'sha256:bb',
    requestControls: [],
    responseControls: [],
    ...NO_QUESTIONS,
    features: NOTHING,
    isComplete: true,
    viewOf: () => undefined,
    resolve: () => undefined,
    subjectsOf: () => ['agent:demo'],
    isVisible: () => true,
    couldBeAllowed: () => true,
  };
}
