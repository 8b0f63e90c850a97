import { expect, test } from 'vitest';
import { Cancellation, type CancelSignal } from '../../../src/lib/cancellation.ts';

test('each listener is told once, with the reason to be read', () => {
  const cancellation = new Cancellation();
  const told: unknown[] = [];
  cancellation.signal.addEventListener('abort', () => told.push(cancellation.signal.reason));
  cancellation.abort('gone');
  cancellation.abort('again');
  expect(told).toEqual(['gone']);
  expect(cancellation.signal.aborted).toBe(true);
});

test('a listener that was removed is not told', () => {
  const cancellation = new Cancellation();
  const told: string[] = [];
  const listener = (): void => void told.push('told');
  cancellation.signal.addEventListener('abort', listener);
  cancellation.signal.removeEventListener('abort', listener);
  cancellation.abort();
  expect(told).toEqual([]);
});

test('a listener that is added twice is told once, and one that is added afterwards never, as with AbortSignal', () => {
  const cancellation = new Cancellation();
  const told: string[] = [];
  const early = (): void => void told.push('early');
  cancellation.signal.addEventListener('abort', early);
  cancellation.signal.addEventListener('abort', early);
  cancellation.abort();
  cancellation.signal.addEventListener('abort', () => told.push('late'));
  expect(told).toEqual(['early']);
});

test('an AbortSignal is a signal like any other', () => {
  const signal: CancelSignal = AbortSignal.abort('done');
  expect([signal.aborted, signal.reason]).toEqual([true, 'done']);
});
