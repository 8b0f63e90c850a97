import { beforeEach, expect, test } from 'vitest';
import { systemIds } from '../../../src/app/system.ts';
import type { CallReply } from '../../../src/broker/broker.ts';
import { CallPipeline } from '../../../src/broker/pipeline.ts';
import type { Snapshot } from '../../../src/broker/snapshot.ts';
import { OPERATIONS, type Resumption } from '../../../src/domain/call.ts';
import type { Control } from '../../../src/domain/control.ts';
import type { InputRequestHandler } from '../../../src/domain/mcp/call-options.ts';
import { deny, type Verdict } from '../../../src/domain/verdict.ts';
import { requestState } from '../../../src/input-required/request-state.ts';
import { budgetControl } from '../../../src/limits/budget/control.ts';
import { createBudgetState } from '../../../src/limits/budget/state.ts';
import { concurrencyControl, createConcurrencyState } from '../../../src/limits/concurrency.ts';
import { loadLimits } from '../../../src/limits/load.ts';
import { SILENT_LOG } from '../../../src/telemetry/log.ts';
import { exchangeOf } from '../../fixtures/exchange.ts';
import { NO_INPUT_REQUESTS } from '../../fixtures/input-requests.ts';

/** One call uses up both limits. */
const LIMITS = `concurrency:
  - { subject: "agent:*", resource: "tool:*", limit: 1 }
budgets:
  - { subject: "agent:*", resource: "tool:*", window: month, hard: { calls: 1 } }
`;
const UNLIMITED = 'concurrency: []\n';
const EXPIRY_MS = 60_000;
const RESPONSES = { 'question-1': { action: 'accept', content: { name: 'Ana' } } };

const { principal, target, context } = exchangeOf({}).call;
if (target.kind !== 'tool') throw new Error('the fixture has no tool');

/** Holds an asynchronous step of the pipeline until a test lets it go on. */
class Gate {
  #open: () => void = () => {};
  #opened: Promise<void> = Promise.resolve();
  #reached: () => void = () => {};
  /** Resolves when the step was reached. */
  reached: Promise<void> = Promise.resolve();

  close(): void {
    this.#opened = new Promise((resolve) => (this.#open = resolve));
    this.reached = new Promise((resolve) => (this.#reached = resolve));
  }

  open(): void {
    this.#open();
  }

  pass(): Promise<void> {
    this.#reached();
    return this.#opened;
  }
}

/** A pipeline over a server that requests input once. */
class Composed {
  /** Entries of the ledger for rounds, in order; those of input requests are left out. */
  readonly entries: string[] = [];
  readonly errors: string[] = [];
  isLedgerUnavailable = false;
  /** Verdict of the control `rate` on a retry. */
  verdict: Verdict | undefined;
  isVisible = true;
  nowMs = 0;
  readonly deciding = new Gate();
  readonly admitting = new Gate();
  readonly closing = new Gate();
  handler: InputRequestHandler | undefined;
  readonly #pipeline: CallPipeline;

  constructor(limitsText: string) {
    const clock = { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs };
    this.#pipeline = new CallPipeline(this.#snapshot(limitsText, clock), {
      recorder: {
        admitted: async ({ call }) => {
          if (call.inputRequest !== undefined) return;
          await this.admitting.pass();
          if (this.isLedgerUnavailable) throw new Error('the disk is full');
          this.entries.push('admitted');
        },
        refused: async (_decision, { reason }) => void this.entries.push(`refused ${reason}`),
        closed: async ({ call, outcome }) => {
          if (call.inputRequest !== undefined) return;
          await this.closing.pass();
          if (this.isLedgerUnavailable) throw new Error('the disk is full');
          this.entries.push(`closed ${outcome.kind} ${'reason' in outcome ? outcome.reason : ''}`.trim());
        },
        malformed: async () => {},
      },
      upstreams: {
        dispatch: async (_call, { inputRequests }) => {
          this.handler = inputRequests;
          const request = { method: 'elicitation/create', params: { message: 'who?' } } as const;
          const response = await inputRequests?.send(request, undefined);
          const result = { content: [{ type: 'text', text: JSON.stringify(response) }] };
          return { kind: 'completed', result, resultBytes: 2 };
        },
        rootsChanged: () => {},
        unsubscribe: () => {},
      },
      clock,
      ids: systemIds(),
      suspendedCallLimits: { perPrincipal: 2, total: 2, expiryMs: EXPIRY_MS },
      log: { ...SILENT_LOG, error: (event: string) => void this.errors.push(event) },
    });
  }

  async call(resumption?: Resumption): Promise<CallReply['outcome']> {
    const request = {
      principal,
      operation: OPERATIONS.callTool,
      exposedName: 'crm__lookup',
      args: {},
      context,
      resumption,
    };
    const clientContext = {
      capabilities: { elicitation: {} },
      logLevel: undefined,
      wantsProgress: false,
      progress: () => true,
      log: () => true,
    };
    const { outcome } = await this.#pipeline.call(request, { signal: new AbortController().signal, clientContext });
    return outcome;
  }

  /** Suspends a call. @returns what resumes it. */
  async suspend(): Promise<Resumption> {
    const outcome = await this.call();
    if (outcome.kind !== 'input-required') throw new Error(`the call is not suspended: ${JSON.stringify(outcome)}`);
    return { state: outcome.state, responses: RESPONSES };
  }

  drain(): Promise<void> {
    return this.#pipeline.drain();
  }

  #snapshot(limitsText: string, clock: { wallMs(): number; monotonicMs(): number }): Snapshot {
    const rules = loadLimits('policies/limits.yaml', limitsText);
    const store = { load: () => [], put: () => {} };
    const budgets = createBudgetState({ clock, store, onClockJump: () => {} });
    const requestControls = [
      concurrencyControl(rules, createConcurrencyState()) as Control,
      budgetControl(rules, budgets, () => {}) as Control,
    ];
    const rate: Control = {
      name: 'rate',
      gather: async () => {
        await this.deciding.pass();
        return {};
      },
      decide: () => this.verdict ?? { effect: 'allow' },
    };
    return {
      ...NO_INPUT_REQUESTS,
      revision: 'sha256:aa',
      registry: 'sha256:bb',
      requestControls,
      responseControls: [],
      // A refusal after the limits meets a retry that has taken over the reservations of the round before.
      resumedControls: [...requestControls, rate, requestState() as Control],
      features: { tool: [], prompt: [], resource: [], template: [] },
      isComplete: true,
      viewOf: () => undefined,
      resolve: () => (target.kind === 'tool' ? target : undefined),
      subjectsOf: () => ['agent:demo'],
      isVisible: () => this.isVisible,
      couldBeAllowed: () => this.isVisible,
    };
  }
}

let composed: Composed;
beforeEach(() => {
  composed = new Composed(LIMITS);
});

const RATE_EXCEEDED = deny('rate-exceeded', 'too fast', { retryAfterMs: 9 });

test('a retry that is refused for a retryable reason leaves its state valid, for one use', async () => {
  composed = new Composed(UNLIMITED);
  const retry = await composed.suspend();
  composed.verdict = RATE_EXCEEDED;
  for (const _ of [1, 2, 3]) {
    expect(await composed.call(retry)).toMatchObject({ reason: 'rate-exceeded', retryAfterMs: 9 });
  }
  composed.verdict = undefined;
  expect(await composed.call(retry)).toMatchObject({
    kind: 'completed',
    resultText: expect.stringContaining('Ana'),
  });
  expect(await composed.call(retry)).toMatchObject({ kind: 'refused', reason: 'request-state-invalid' });
  expect(composed.entries).not.toContain('closed failed cancelled');
});

test('a retry whose admission cannot be recorded leaves its state valid', async () => {
  const retry = await composed.suspend();
  composed.isLedgerUnavailable = true;
  expect(await composed.call(retry)).toMatchObject({ reason: 'ledger-unavailable' });
  composed.isLedgerUnavailable = false;
  expect(await composed.call(retry)).toMatchObject({
    kind: 'completed',
    resultText: expect.stringContaining('Ana'),
  });
});

test('a suspended call keeps its slot and its reservation across a refused retry', async () => {
  const retry = await composed.suspend();
  composed.verdict = RATE_EXCEEDED;
  await composed.call(retry);
  expect(await composed.call()).toMatchObject({ reason: 'concurrency-exceeded' });
  composed.verdict = undefined;
  await composed.call(retry);
  expect(await composed.call()).toMatchObject({ reason: 'budget-exhausted' });
});

test('of two retries with one state at one time exactly one resumes the call', async () => {
  composed = new Composed(UNLIMITED);
  const retry = await composed.suspend();
  const outcomes = await Promise.all([composed.call(retry), composed.call(retry)]);
  expect(outcomes.map((outcome) => ('reason' in outcome ? outcome.reason : outcome.kind)).sort()).toEqual([
    'completed',
    'request-state-invalid',
  ]);
});

test.each([
  ['for good', () => deny('policy-denied', 'no grant'), true],
  ['for a retryable reason, of a target that the agent may no longer see,', () => RATE_EXCEEDED, false],
] as const)('a retry that is refused %s ends the suspended call', async (_how, verdict, isVisible) => {
  const retry = await composed.suspend();
  Object.assign(composed, { verdict: verdict(), isVisible });
  await composed.call(retry);
  Object.assign(composed, { verdict: undefined, isVisible: true });
  expect(await composed.call(retry)).toMatchObject({ kind: 'refused' });
  expect(composed.entries).toContain('closed failed cancelled');
});

test('a refused retry does not extend the time that the call may wait', async () => {
  const retry = await composed.suspend();
  composed.nowMs = EXPIRY_MS - 1;
  composed.verdict = RATE_EXCEEDED;
  await composed.call(retry);
  // The last millisecond passes on the clock of timers.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(composed.entries.at(-1)).toBe('closed failed question-unanswered');
});

test('a call that waits again after a refused retry ends when the broker stops', async () => {
  const retry = await composed.suspend();
  composed.verdict = RATE_EXCEEDED;
  await composed.call(retry);
  await composed.drain();
  expect(composed.entries.at(-1)).toBe('closed failed shutting-down');
});

test('a retry that is being decided when the broker stops is refused as shutting-down, and its call is closed', async () => {
  const retry = await composed.suspend();
  composed.deciding.close();
  const reply = composed.call(retry);
  await composed.deciding.reached;
  const drained = composed.drain();
  composed.deciding.open();
  expect(await reply).toMatchObject({ kind: 'refused', reason: 'shutting-down' });
  await drained;
  expect(composed.entries).toEqual([
    'admitted',
    'closed input-required',
    'refused shutting-down',
    'closed failed shutting-down',
  ]);
  expect(composed.errors).toEqual([]);
});

test('a retry that is being recorded when the broker stops is closed once, as shutting-down', async () => {
  const retry = await composed.suspend();
  composed.admitting.close();
  const reply = composed.call(retry);
  await composed.admitting.reached;
  const drained = composed.drain();
  composed.admitting.open();
  expect(await reply).toMatchObject({ kind: 'failed', reason: 'shutting-down', inDoubt: true });
  await drained;
  expect(composed.entries).toEqual(['admitted', 'closed input-required', 'admitted', 'closed failed shutting-down']);
  expect(composed.errors).toEqual([]);
});

test('a call whose round is being closed waits only after that, and ends when the broker stops meanwhile', async () => {
  composed.closing.close();
  const reply = composed.call();
  await composed.closing.reached;
  expect(composed.handler?.preempt()).toBe(false);
  const drained = composed.drain();
  composed.closing.open();
  expect(await reply).toMatchObject({ kind: 'input-required' });
  await drained;
  expect(composed.entries).toEqual(['admitted', 'closed input-required', 'closed failed shutting-down']);
});

test('a call that is preempted as soon as it is suspended is settled and closed a second time', async () => {
  await composed.suspend();
  expect(composed.handler?.preempt()).toBe(true);
  await composed.drain();
  expect(composed.entries).toEqual(['admitted', 'closed input-required', 'closed failed question-unanswered']);
});

test('a call whose round cannot be closed in the ledger is not suspended, and gives its slot back', async () => {
  composed.closing.close();
  const reply = composed.call();
  await composed.closing.reached;
  composed.isLedgerUnavailable = true;
  composed.closing.open();
  expect(await reply).toMatchObject({ kind: 'failed', reason: 'ledger-unavailable', inDoubt: true });
  composed.isLedgerUnavailable = false;
  expect(composed.handler?.preempt()).toBe(false);
  expect(await composed.call()).toMatchObject({ reason: 'budget-exhausted' });
});
