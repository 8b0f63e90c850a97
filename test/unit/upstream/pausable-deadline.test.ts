import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PausableDeadline } from '../../../src/upstream/call/pausable-deadline.ts';
import { stillClock } from '../../fixtures/upstream-pool.ts';

const clock = stillClock();

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function begun(): PausableDeadline {
  const deadline = new PausableDeadline(new AbortController().signal, clock);
  deadline.start(1_000);
  return deadline;
}

function pass(ms: number): void {
  clock.advance(ms);
  vi.advanceTimersByTime(ms);
}

test('what was left of a deadline that stood still is left when it runs again', () => {
  const deadline = begun();
  pass(900);
  deadline.pause();
  pass(5_000);
  deadline.resume();
  pass(99);
  expect(deadline.signal.aborted).toBe(false);
  pass(1);
  expect(deadline.signal).toMatchObject({ aborted: true, reason: { name: 'TimeoutError' } });
});

test('a deadline that is given anew while it stands still runs its whole time', () => {
  const deadline = begun();
  pass(900);
  deadline.pause();
  deadline.reset();
  deadline.resume();
  pass(999);
  expect(deadline.signal.aborted).toBe(false);
  pass(1);
  expect(deadline.signal.aborted).toBe(true);
});
