import { expect, test } from 'vitest';
import type { Broker, CallRequest } from '../../../src/broker/broker.ts';
import { CallPipeline } from '../../../src/broker/pipeline.ts';
import type { Recorder } from '../../../src/broker/recorder.ts';
import type { Snapshot } from '../../../src/broker/snapshot.ts';
import { OPERATIONS } from '../../../src/domain/call.ts';
import type { Control } from '../../../src/domain/control.ts';
import type { DispatchOptions } from '../../../src/domain/mcp/call-options.ts';
import type { DispatchResult } from '../../../src/domain/outcome.ts';
import type { ToolTarget } from '../../../src/domain/target.ts';
import { allow, deny } from '../../../src/domain/verdict.ts';
import { principalForOsUser } from '../../../src/identity/principal.ts';
import { SILENT_LOG } from '../../../src/telemetry/log.ts';
import { NO_INPUT_REQUESTS } from '../../fixtures/input-requests.ts';

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

const NO_FEATURES: Snapshot['features'] = { tool: [], prompt: [], resource: [], template: [] };

const request: CallRequest = {
  principal,
  operation: OPERATIONS.callTool,
  exposedName: 'files__read',
  args: { path: 'a' },
  context: { transport: 'stdio', protocolVersion: '2025-11-25', session: 's' },
};

interface Composed {
  readonly broker: Broker & CallPipeline;
  readonly events: string[];
}

/** The composed with a chain of its own, and the order in which things events. */
function compose(change: {
  requestControls?: readonly Partial<Control>[];
  responseControls?: readonly Partial<Control>[];
  admitted?: () => Promise<void>;
  closed?: () => Promise<void>;
  dispatch?: (options: DispatchOptions) => Promise<DispatchResult>;
  isVisible?: boolean;
  maxCalls?: number;
}): Composed {
  const events: string[] = [];
  const named = (controls: readonly Partial<Control>[] | undefined): readonly Control[] =>
    (controls ?? []).map((control, index) => ({
      name: index === 0 ? 'rate' : 'budget',
      gather: () => ({ index }),
      decide: () => allow(),
      settle: (_exchange, _facts, outcome) => events.push(`settle ${index} ${outcome.kind}`),
      ...control,
    }));
  const snapshot: Snapshot = {
    revision: 'sha256:aa',
    registry: 'sha256:bb',
    requestControls: named(change.requestControls),
    responseControls: named(change.responseControls).map((control) => ({
      ...control,
      name: 'validate-output' as const,
      settle: () => {},
    })),
    ...NO_INPUT_REQUESTS,
    features: { ...NO_FEATURES, tool: [target] },
    isComplete: true,
    viewOf: () => undefined,
    resolve: (name) => (name === target.exposedName ? target : undefined),
    subjectsOf: () => ['agent:demo'],
    isVisible: () => change.isVisible ?? true,
    couldBeAllowed: () => change.isVisible ?? true,
  };
  const recorder: Recorder = {
    admitted: change.admitted ?? (async () => void events.push('admitted')),
    refused: async (_decided, refusal) => void events.push(`refused ${refusal.reason}`),
    closed: change.closed ?? (async (ended) => void events.push(`closed ${ended.outcome.kind} ${ended.costNanoUsd}`)),
    malformed: async () => {},
  };
  const broker = new CallPipeline(snapshot, {
    recorder,
    upstreams: {
      dispatch: async (_call, options) => {
        events.push('dispatched');
        return change.dispatch
          ? change.dispatch(options)
          : { kind: 'completed', result: { content: [] }, resultBytes: 14 };
      },
      rootsChanged: () => {},
      unsubscribe: () => {},
    },
    clock,
    ids,
    log: SILENT_LOG,
    maxCalls: change.maxCalls,
  });
  return { broker, events };
}

const clock = { wallMs: () => 1, monotonicMs: () => 1 };
const ids = { uuidv7: () => 'id-1', randomBytes: (length: number) => new Uint8Array(length) };

const call = async ({ broker }: Composed, signal = new AbortController().signal) => broker.call(request, { signal });

test('an allowed call is admitted, dispatched, settled last control first, closed, and replied to', async () => {
  const composed = compose({ requestControls: [{}, {}] });
  expect(await call(composed)).toEqual({
    callId: 'id-1',
    outcome: { kind: 'completed', result: { content: [] }, resultBytes: 14, resultText: '{"content":[]}' },
  });
  expect(composed.events).toEqual([
    'admitted',
    'dispatched',
    'settle 1 completed',
    'settle 0 completed',
    'closed completed 5',
  ]);
});

test('a refused call is recorded and never dispatched, and its evaluated controls are settled', async () => {
  const composed = compose({
    requestControls: [
      {},
      { decide: () => deny('budget-exhausted', 'spent', { rule: 'limits.yaml:3', retryAfterMs: 9 }) },
    ],
  });
  expect((await call(composed)).outcome).toEqual({
    kind: 'refused',
    stage: 'budget',
    effect: 'deny',
    reason: 'budget-exhausted',
    message: 'spent',
    rule: 'limits.yaml:3',
    retryAfterMs: 9,
    visible: true,
  });
  expect(composed.events).toEqual(['settle 1 refused', 'settle 0 refused', 'refused budget-exhausted']);
});

test('a control that throws refuses the call as indeterminate', async () => {
  const composed = compose({
    requestControls: [
      {
        gather: () => {
          throw new Error('store is away');
        },
      },
    ],
  });
  expect((await call(composed)).outcome).toMatchObject({
    kind: 'refused',
    effect: 'indeterminate',
    reason: 'control-failed',
  });
  expect(composed.events).toEqual(['refused control-failed']);
});

test('a control that throws in `decide` is settled', async () => {
  const composed = compose({
    requestControls: [
      {
        decide: () => {
          throw new Error('broken');
        },
      },
    ],
  });
  await call(composed);
  expect(composed.events).toEqual(['settle 0 refused', 'refused control-failed']);
});

test('a call whose admission is not durable is not dispatched', async () => {
  const composed = compose({ requestControls: [{}], admitted: () => Promise.reject(new Error('disk is full')) });
  expect((await call(composed)).outcome).toMatchObject({
    kind: 'refused',
    effect: 'indeterminate',
    reason: 'ledger-unavailable',
  });
  expect(composed.events).toEqual(['settle 0 refused']);
});

test('an outcome that cannot be recorded is reported as in doubt', async () => {
  const composed = compose({ closed: () => Promise.reject(new Error('disk is full')) });
  expect((await call(composed)).outcome).toMatchObject({ kind: 'failed', reason: 'ledger-unavailable', inDoubt: true });
});

test('a result that a response control denies is withheld and stays charged', async () => {
  const composed = compose({
    requestControls: [{}],
    responseControls: [{ decide: () => deny('output-invalid', 'does not match') }],
  });
  expect((await call(composed)).outcome).toMatchObject({
    kind: 'refused',
    stage: 'validate-output',
    reason: 'output-invalid',
  });
  expect(composed.events).toEqual(['admitted', 'dispatched', 'settle 0 refused', 'closed refused 5']);
});

test('a dispatch that throws leaves the call in doubt', async () => {
  const composed = compose({ dispatch: () => Promise.reject(new Error('defect')) });
  expect((await call(composed)).outcome).toMatchObject({ kind: 'failed', reason: 'upstream-lost', inDoubt: true });
});

test('a call that is cancelled before it is sent is dispatched with its signal, and costs nothing', async () => {
  const composed = compose({
    dispatch: async ({ signal }) => ({ kind: 'failed', reason: 'cancelled', message: 'x', inDoubt: !signal.aborted }),
  });
  expect((await call(composed, AbortSignal.abort())).outcome).toMatchObject({ reason: 'cancelled', inDoubt: false });
  expect(composed.events).toEqual(['admitted', 'dispatched', 'closed failed 0']);
});

test('an unknown name passes the same controls as a hidden tool', async () => {
  const composed = compose({
    requestControls: [{ decide: ({ call: { target: resolved } }) => deny('unknown-tool', resolved.id) }],
    isVisible: false,
  });
  const unknown = await composed.broker.call(
    { ...request, exposedName: 'files__\u0000nothing' },
    { signal: new AbortController().signal },
  );
  expect(unknown.outcome).toMatchObject({ reason: 'unknown-tool', message: 'tool:unknown', visible: false });
});

test('a pipeline that drains refuses new calls, and records the refusals', async () => {
  const composed = compose({});
  await composed.broker.drain();
  expect((await call(composed)).outcome).toMatchObject({ kind: 'refused', reason: 'shutting-down' });
  expect(composed.events).toEqual(['refused shutting-down']);
});

test('a pipeline at its limit of calls in flight refuses the next call, until one has ended', async () => {
  let answer: () => void = () => {};
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const composed = compose({
    maxCalls: 1,
    dispatch: async () => {
      await answered;
      return { kind: 'completed', result: { content: [] }, resultBytes: 14 };
    },
  });
  const first = call(composed);
  expect((await call(composed)).outcome).toMatchObject({ kind: 'refused', reason: 'overloaded', retryAfterMs: 1_000 });
  answer();
  expect((await first).outcome.kind).toBe('completed');
  expect((await call(composed)).outcome.kind).toBe('completed');
  expect(composed.events.filter((event) => event.startsWith('refused'))).toEqual(['refused overloaded']);
});

test('a new snapshot notifies only the principals whose list it changes', () => {
  const composed = compose({});
  const notified: string[] = [];
  composed.broker.onListChanged((id) => notified.push(id));
  expect(composed.broker.visibleLists.list(principal, 'tool').definitions).toEqual([
    { name: 'files__read', inputSchema: { type: 'object' } },
  ]);
  const { broker } = compose({});
  broker.applySnapshot({ ...emptySnapshot(), features: { ...NO_FEATURES, tool: [target] } });
  composed.broker.applySnapshot({ ...emptySnapshot(), features: { ...NO_FEATURES, tool: [target] } });
  expect(notified).toEqual([]);
  composed.broker.applySnapshot(emptySnapshot());
  expect(notified).toEqual(['agent:demo']);
  expect(composed.broker.visibleLists.list(principal, 'tool').definitions).toEqual([]);
});

test('a change of prompts is notified as such, and only to principals that listed prompts', () => {
  const { broker } = compose({});
  const { tool: _, inputSchema, ...common } = target;
  const prompt = { ...common, kind: 'prompt', id: 'prompt:files/greet', prompt: 'greet', inputSchema } as const;
  const notified: string[] = [];
  broker.onListChanged((id, kind) => notified.push(`${id} ${kind}`));
  const withPrompt = { ...emptySnapshot(), features: { ...NO_FEATURES, tool: [target], prompt: [prompt] } };
  broker.applySnapshot(withPrompt);
  expect(notified).toEqual([]);
  broker.visibleLists.list(principal, 'tool');
  broker.visibleLists.list(principal, 'prompt');
  broker.applySnapshot({ ...emptySnapshot(), features: { ...NO_FEATURES, tool: [target] } });
  expect(notified).toEqual(['agent:demo prompt']);
});

test('a principal has the capabilities that it can use, and all while a server is not listed', () => {
  const { broker } = compose({});
  expect(broker.visibleLists.capabilitiesOf(principal)).toEqual({
    prompts: false,
    resources: false,
    completions: false,
    subscriptions: false,
  });
  const { tool: _, inputSchema: __, ...common } = target;
  const template = { ...common, kind: 'template', id: 'resource:files/x:{a}', uriTemplate: 'x:{a}' } as const;
  broker.applySnapshot({ ...emptySnapshot(), features: { ...NO_FEATURES, template: [template] } });
  expect(broker.visibleLists.capabilitiesOf(principal)).toEqual({
    prompts: false,
    resources: true,
    completions: true,
    subscriptions: true,
  });
  broker.applySnapshot({ ...emptySnapshot(), isComplete: false });
  expect(broker.visibleLists.capabilitiesOf(principal)).toEqual({
    prompts: true,
    resources: true,
    completions: true,
    subscriptions: true,
  });
});

function emptySnapshot(): Snapshot {
  return {
    revision: 'sha256:cc',
    registry: 'sha256:bb',
    requestControls: [],
    responseControls: [],
    ...NO_INPUT_REQUESTS,
    features: NO_FEATURES,
    isComplete: true,
    viewOf: () => undefined,
    resolve: () => undefined,
    subjectsOf: () => ['agent:demo'],
    isVisible: () => true,
    couldBeAllowed: () => true,
  };
}
