import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DispatchResult } from '../../../src/domain/outcome.ts';
import { SuspendedCall } from '../../../src/input-required/suspended-call.ts';

const NEVER = new AbortController().signal;
const DONE: DispatchResult = { kind: 'completed', result: { content: [] }, resultBytes: 2 };

/** Places that are taken. */
let taken: number;
let suspension: SuspendedCall;
/** Ends the call that the server is at work on. */
let end: (came: DispatchResult) => void;

/** A call that waits for the answer to one question. */
beforeEach(async () => {
  taken = 0;
  suspension = new SuspendedCall('call-1', {
    acquire: () => {
      taken += 1;
      return true;
    },
    releaseClaim: () => {
      taken -= 1;
    },
  });
  suspension.follow(new Promise((resolve) => (end = resolve)));
  const leg = suspension.runRound(NEVER);
  suspension.beginEvaluation();
  void suspension.request({ method: 'elicitation/create', params: { message: 'who?' } }, NEVER);
  suspension.endEvaluation();
  expect((await leg).kind).toBe('asked');
  suspension.wait(60_000, (message) => suspension.cancel('question-unanswered', message));
});

afterEach(() => suspension.cancel('cancelled', 'the test is over'));

test('a call that ends while its agent is waited for keeps its place, since its result is held, until the agent comes', async () => {
  end(DONE);
  await Promise.resolve();
  expect(taken).toBe(1);
  suspension.resume();
  suspension.respond({});
  expect(await suspension.runRound(NEVER)).toEqual({ kind: 'ended', result: DONE });
  expect(taken).toBe(0);
});

test('a call that ended while its agent was waited for gives its place back when it gives way, once', async () => {
  end(DONE);
  await Promise.resolve();
  expect(suspension.preempt()).toBe(true);
  expect(suspension.preempt()).toBe(false);
  expect(taken).toBe(0);
});
