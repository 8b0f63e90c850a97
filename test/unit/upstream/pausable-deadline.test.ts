import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PausableDeadline } from '../../../src/upstream/call/pausable-deadline.ts';
import { stillClock } from '../../fixtures/upstream-pool.ts';

const clock = stillClock();

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function startDeadline(): PausableDeadline {
  const deadline = new PausableDeadline(new AbortController().signal, clock);
  deadline.start(1_000);
  return deadline;
}

function pass(ms: number): void {
  clock.advance(ms);
  vi.advanceTimersByTime(ms);
}

test('a resumed deadline has the time that was left', () => {
  const deadline = startDeadline();
  pass(900);
  deadline.pause();
  pass(5_000);
  deadline.resume();
  pass(99);
  expect(deadline.signal.aborted).toBe(false);
  pass(1);
  expect(deadline.signal).toMatchObject({ aborted: true, reason: { name: 'TimeoutError' } });
});

test('a deadline that is reset while it is paused runs its whole time', () => {
  const deadline = startDeadline();
  pass(900);
  deadline.pause();
  deadline.reset();
  deadline.resume();
  pass(999);
  expect(deadline.signal.aborted).toBe(false);
  pass(1);
  expect(deadline.signal.aborted).toBe(true);
});
