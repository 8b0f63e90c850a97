import { beforeEach, expect, test } from 'vitest';
import { systemIds } from '../../../src/app/system.ts';
import type { CallReply } from '../../../src/broker/broker.ts';
import { CallPipeline } from '../../../src/broker/pipeline.ts';
import type { Snapshot } from '../../../src/broker/snapshot.ts';
import { OPERATIONS, type Resumption } from '../../../src/domain/call.ts';
import type { Control } from '../../../src/domain/control.ts';
import { deny, type Verdict } from '../../../src/domain/verdict.ts';
import { requestState } from '../../../src/input-required/request-state.ts';
import { SuspendedCallStore } from '../../../src/input-required/suspended-call-store.ts';
import { budgetControl } from '../../../src/limits/budget/control.ts';
import { createBudgetState } from '../../../src/limits/budget/state.ts';
import { concurrencyControl, createConcurrencyState } from '../../../src/limits/concurrency.ts';
import { loadLimits } from '../../../src/limits/load.ts';
import { SILENT_LOG } from '../../../src/telemetry/log.ts';
import { exchangeOf } from '../../fixtures/exchange.ts';
import { NO_QUESTIONS } from '../../fixtures/input-requests.ts';

/** What one call fills. */
const LIMITS = `concurrency:
  - { subject: "agent:*", resource: "tool:*", limit: 1 }
budgets:
  - { subject: "agent:*", resource: "tool:*", window: month, hard: { calls: 1 } }
`;
const UNLIMITED = 'concurrency: []\n';
const EXPIRY_MS = 60_000;
const ANSWERS = { 'question-1': { action: 'accept', content: { name: 'Ana' } } };
const SPENT = 'request-state-invalid';

const { principal, target, context } = exchangeOf({}).call;
if (target.kind !== 'tool') throw new Error('the fixture is another');

/** The hall over a server that asks one question. */
class Hall {
  /** What became of each leg in the book. */
  readonly book: string[] = [];
  isLedgerGone = false;
  /** What the control before the limits says of a leg. */
  verdict: Verdict | undefined;
  isVisible = true;
  nowMs = 0;
  readonly #suspensions: SuspendedCallStore;
  readonly #broker: CallPipeline;

  constructor(limitsText: string) {
    const clock = { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs };
    const ids = systemIds();
    const limits = { perPrincipal: 2, total: 2, expiryMs: EXPIRY_MS };
    this.#suspensions = new SuspendedCallStore({ clock, ids }, limits);
    this.#broker = new CallPipeline(this.#world(limitsText, clock), {
      recorder: {
        admitted: async () => {
          if (this.isLedgerGone) throw new Error('the disk is full');
          this.book.push('admitted');
        },
        refused: async (_decided, { reason }) => void this.book.push(`refused ${reason}`),
        closed: async ({ outcome }) =>
          void this.book.push(`closed ${outcome.kind} ${'reason' in outcome ? outcome.reason : ''}`.trim()),
        malformed: async () => {},
      },
      dispatch: async (_call, { inputRequests: asking }) => {
        const answer = await asking?.send({ method: 'elicitation/create', params: { message: 'who?' } }, undefined);
        const result = { content: [{ type: 'text', text: JSON.stringify(answer) }] };
        return { kind: 'completed', result, resultBytes: 2 };
      },
      ...{
        clock,
        ids,
        suspendedCallStore: this.#suspensions,
        log: SILENT_LOG,
        rootsChanged: () => {},
        unsubscribe: () => {},
      },
    });
  }

  async call(resumption?: Resumption): Promise<CallReply['outcome']> {
    const asked = {
      principal,
      operation: OPERATIONS.callTool,
      exposedName: 'crm__lookup',
      args: {},
      context,
      resumption,
    };
    const link = {
      ...{ capabilities: { elicitation: {} }, logLevel: undefined, wantsProgress: false },
      ...{ progress: () => true, log: () => true },
    };
    const { outcome } = await this.#broker.call(asked, { signal: new AbortController().signal, clientContext: link });
    return outcome;
  }

  /** Leaves a question open. @returns what goes on with it. */
  async ask(): Promise<Resumption> {
    const outcome = await this.call();
    if (outcome.kind !== 'input-required') throw new Error(`nothing was asked: ${JSON.stringify(outcome)}`);
    return { state: outcome.state, responses: ANSWERS };
  }

  drain(): Promise<void> {
    return this.#broker.drain();
  }

  #world(limitsText: string, clock: { wallMs(): number; monotonicMs(): number }): Snapshot {
    const rules = loadLimits('policies/limits.yaml', limitsText);
    const store = { load: () => [], put: () => {} };
    const budgets = createBudgetState({ clock, store, onClockJump: () => {} });
    const requestRow = [
      concurrencyControl(rules, createConcurrencyState()) as Control,
      budgetControl(rules, budgets, () => {}) as Control,
    ];
    const first: Control = {
      name: 'rate',
      gather: () => ({}),
      decide: () => this.verdict ?? { effect: 'allow' },
    };
    return {
      ...NO_QUESTIONS,
      ...{ revision: 'sha256:aa', registry: 'sha256:bb', requestControls: requestRow, responseControls: [] },
      // A refusal after the limits meets a leg that has taken over what the one before it held.
      resumedControls: [...requestRow, first, requestState() as Control],
      ...{ features: { tool: [], prompt: [], resource: [], template: [] }, isComplete: true, viewOf: () => undefined },
      resolve: () => (target.kind === 'tool' ? target : undefined),
      subjectsOf: () => ['agent:demo'],
      isVisible: () => this.isVisible,
      couldBeAllowed: () => this.isVisible,
    };
  }
}

let hall: Hall;
beforeEach(() => {
  hall = new Hall(LIMITS);
});

const TOO_FAST = deny('rate-exceeded', 'too fast', { retryAfterMs: 9 });

test('a leg that is refused only for now uses nothing up: the same state goes on, once', async () => {
  hall = new Hall(UNLIMITED);
  const goOn = await hall.ask();
  hall.verdict = TOO_FAST;
  for (const _ of [1, 2, 3]) expect(await hall.call(goOn)).toMatchObject({ reason: 'rate-exceeded', retryAfterMs: 9 });
  hall.verdict = undefined;
  expect(await hall.call(goOn)).toMatchObject({ kind: 'completed', resultText: expect.stringContaining('Ana') });
  expect(await hall.call(goOn)).toMatchObject({ kind: 'refused', reason: SPENT });
  expect(hall.book).not.toContain('closed failed cancelled');
});

test('a leg whose intent cannot be recorded uses nothing up', async () => {
  const goOn = await hall.ask();
  hall.isLedgerGone = true;
  expect(await hall.call(goOn)).toMatchObject({ reason: 'ledger-unavailable' });
  hall.isLedgerGone = false;
  expect(await hall.call(goOn)).toMatchObject({ kind: 'completed', resultText: expect.stringContaining('Ana') });
});

test('a call that waits on keeps its place and its reservation, so that no other has them', async () => {
  const goOn = await hall.ask();
  hall.verdict = TOO_FAST;
  await hall.call(goOn);
  expect(await hall.call()).toMatchObject({ reason: 'concurrency-exceeded' });
  hall.verdict = undefined;
  await hall.call(goOn);
  expect(await hall.call()).toMatchObject({ reason: 'budget-exhausted' });
});

test('of two legs with one state at one time exactly one goes on', async () => {
  hall = new Hall(UNLIMITED);
  const goOn = await hall.ask();
  const outcomes = await Promise.all([hall.call(goOn), hall.call(goOn)]);
  expect(outcomes.map((outcome) => ('reason' in outcome ? outcome.reason : outcome.kind)).sort()).toEqual([
    'completed',
    SPENT,
  ]);
});

test.each([
  ['for good', () => deny('policy-denied', 'no grant'), true],
  ['for now, of what the agent may not see any more', () => TOO_FAST, false],
] as const)('a leg that is refused %s ends the call that waits', async (_how, verdict, isVisible) => {
  const goOn = await hall.ask();
  Object.assign(hall, { verdict: verdict(), isVisible });
  await hall.call(goOn);
  Object.assign(hall, { verdict: undefined, isVisible: true });
  expect(await hall.call(goOn)).toMatchObject({ kind: 'refused' });
  expect(hall.book).toContain('closed failed cancelled');
});

test('a call that waits on waits no longer than it would have', async () => {
  const goOn = await hall.ask();
  hall.nowMs = EXPIRY_MS - 1;
  hall.verdict = TOO_FAST;
  await hall.call(goOn);
  // The last millisecond runs on the clock of timers.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(hall.book.at(-1)).toBe('closed failed question-unanswered');
});

test('a call that waits on ends with the broker', async () => {
  const goOn = await hall.ask();
  hall.verdict = TOO_FAST;
  await hall.call(goOn);
  await hall.drain();
  expect(hall.book.at(-1)).toBe('closed failed shutting-down');
});
