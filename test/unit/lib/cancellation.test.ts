import { expect, test } from 'vitest';
import { Cancellation, type CancelSignal } from '../../../src/lib/cancellation.ts';

test('each listener is called once and can read the reason', () => {
  const cancellation = new Cancellation();
  const calls: unknown[] = [];
  cancellation.signal.addEventListener('abort', () => calls.push(cancellation.signal.reason));
  cancellation.abort('gone');
  cancellation.abort('again');
  expect(calls).toEqual(['gone']);
  expect(cancellation.signal.aborted).toBe(true);
});

test('a removed listener is not called', () => {
  const cancellation = new Cancellation();
  const calls: string[] = [];
  const listener = (): void => void calls.push('called');
  cancellation.signal.addEventListener('abort', listener);
  cancellation.signal.removeEventListener('abort', listener);
  cancellation.abort();
  expect(calls).toEqual([]);
});

test('a listener added twice is called once, and one added after the abort never, as with AbortSignal', () => {
  const cancellation = new Cancellation();
  const calls: string[] = [];
  const early = (): void => void calls.push('early');
  cancellation.signal.addEventListener('abort', early);
  cancellation.signal.addEventListener('abort', early);
  cancellation.abort();
  cancellation.signal.addEventListener('abort', () => calls.push('late'));
  expect(calls).toEqual(['early']);
});

test('an AbortSignal is a signal like any other', () => {
  const signal: CancelSignal = AbortSignal.abort('done');
  expect([signal.aborted, signal.reason]).toEqual([true, 'done']);
});
