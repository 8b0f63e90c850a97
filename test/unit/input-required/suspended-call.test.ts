import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ClientContext } from '../../../src/domain/mcp/client-context.ts';
import type { DispatchResult } from '../../../src/domain/outcome.ts';
import { type EndCause, SuspendedCall } from '../../../src/input-required/suspended-call.ts';

const NEVER = new AbortController().signal;
const DONE: DispatchResult = { kind: 'completed', result: { content: [] }, resultBytes: 2 };
const EXPIRES_AT_MS = 60_000;
const STOPPED: EndCause = { reason: 'shutting-down', message: 'the broker is stopping' };
const REFUSED: EndCause = { reason: 'cancelled', message: 'refused' };

const clientContext: ClientContext = {
  capabilities: { elicitation: {} },
  logLevel: undefined,
  wantsProgress: true,
  progress: () => true,
  log: () => true,
};

let places: number;
let suspended: SuspendedCall<string>;
/** Round and reason of each end in `waiting` or `claimed`. */
let ends: string[];
let finishDispatch: (result: DispatchResult) => void;

/** A call whose first round has ended with one input request and that is not waiting yet. */
beforeEach(async () => {
  places = 0;
  ends = [];
  suspended = new SuspendedCall('call-1', clientContext, {
    acquire: () => {
      places += 1;
      return true;
    },
    release: () => {
      places -= 1;
    },
    onResumed: () => {},
    onEnded: (round, { reason }) => ends.push(`${round} ${reason}`),
  });
  suspended.ticket = { id: 'ticket', roundId: 'call-1', expiresAtMs: EXPIRES_AT_MS };
  const round = suspended.openRound(NEVER, clientContext);
  suspended.follow(new Promise((resolve) => (finishDispatch = resolve)));
  suspended.beginEvaluation();
  void suspended.request({ method: 'elicitation/create', params: { message: 'who?' } }, NEVER);
  suspended.endEvaluation();
  expect((await round).kind).toBe('input-required');
  expect(suspended.state).toBe('running');
});

afterEach(() => suspended.stop(STOPPED));

test('a call whose server answers while it waits holds its place until the retry fetches the result', async () => {
  suspended.wait('round-1', 0);
  finishDispatch(DONE);
  await Promise.resolve();
  expect([suspended.state, places]).toEqual(['waiting', 1]);
  expect(suspended.claim()).toBe(true);
  expect(await suspended.resume({}, NEVER, clientContext)).toEqual({ kind: 'ended', result: DONE });
  expect([suspended.state, places, ends]).toEqual(['ended', 0, []]);
});

test('a call whose server answers between the end of a round and its wait holds its place', async () => {
  finishDispatch(DONE);
  await Promise.resolve();
  expect(places).toBe(1);
  suspended.wait('round-1', 0);
  expect(places).toBe(1);
});

test('a waiting call is preempted once, and releases its place', async () => {
  expect(suspended.preempt()).toBe(false);
  suspended.wait('round-1', 0);
  finishDispatch(DONE);
  await Promise.resolve();
  expect(suspended.preempt()).toBe(true);
  expect(suspended.preempt()).toBe(false);
  expect([suspended.state, places, ends]).toEqual(['ended', 0, ['round-1 question-unanswered']]);
});

test('a claimed call is neither claimed again nor preempted', () => {
  suspended.wait('round-1', 0);
  expect(suspended.claim()).toBe(true);
  expect(suspended.claim()).toBe(false);
  expect(suspended.preempt()).toBe(false);
  expect(suspended.state).toBe('claimed');
});

test('a claim is undone for the time that was left, and not after it', () => {
  suspended.wait('round-1', 0);
  suspended.claim();
  expect(suspended.unclaim(EXPIRES_AT_MS - 1)).toBe(true);
  expect(suspended.state).toBe('waiting');
  suspended.claim();
  expect(suspended.unclaim(EXPIRES_AT_MS)).toBe(false);
  suspended.endClaim(REFUSED);
  expect([suspended.state, ends]).toEqual(['ended', ['round-1 cancelled']]);
});

test('a waiting call ends when the broker stops, and its dispatch is cancelled', () => {
  suspended.wait('round-1', 0);
  suspended.stop(STOPPED);
  expect([suspended.state, suspended.signal.aborted, ends]).toEqual(['ended', true, ['round-1 shutting-down']]);
});

test('a claimed call ends with its refused retry after the broker stopped, for that reason', () => {
  suspended.wait('round-1', 0);
  suspended.claim();
  suspended.stop(STOPPED);
  expect([suspended.state, suspended.endCause, ends]).toEqual(['claimed', STOPPED, []]);
  expect(suspended.unclaim(0)).toBe(false);
  suspended.endClaim(REFUSED);
  expect([suspended.state, places, ends]).toEqual(['ended', 0, ['round-1 shutting-down']]);
});

test('a retry that was admitted while the broker stopped ends the call itself, so that it is closed once', async () => {
  suspended.wait('round-1', 0);
  suspended.claim();
  suspended.stop(STOPPED);
  finishDispatch({ kind: 'failed', reason: 'cancelled', message: 'our own cancellation', inDoubt: true });
  await Promise.resolve();
  const end = await suspended.resume({}, NEVER, clientContext);
  expect(end).toMatchObject({ kind: 'ended', result: { kind: 'failed', reason: 'shutting-down', inDoubt: true } });
  expect([suspended.state, places, ends]).toEqual(['ended', 0, []]);
});

test('a result that precedes the stop is fetched by a retry that was claimed before', async () => {
  suspended.wait('round-1', 0);
  suspended.claim();
  finishDispatch(DONE);
  await Promise.resolve();
  suspended.stop(STOPPED);
  expect(suspended.endCause).toBeUndefined();
  expect(await suspended.resume({}, NEVER, clientContext)).toEqual({ kind: 'ended', result: DONE });
});

test('notifications go to the open round, and are dropped between two rounds', () => {
  expect(suspended.clientContext.progress({ progress: 1 })).toBe(false);
  suspended.wait('round-1', 0);
  suspended.claim();
  void suspended.resume({}, NEVER, clientContext);
  expect(suspended.clientContext.progress({ progress: 2 })).toBe(true);
});
