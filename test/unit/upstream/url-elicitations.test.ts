import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { UrlElicitations } from '../../../src/upstream/call/url-elicitations.ts';
import { stillClock } from '../../fixtures/upstream-pool.ts';

const EXPIRY_MS = 60_000;
const clock = stillClock();
const { signal } = new AbortController();

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function accepted(...ids: readonly string[]): UrlElicitations {
  const urls = new UrlElicitations(clock, { expiryMs: EXPIRY_MS });
  for (const id of ids) {
    urls.recordRequested(id);
    urls.recordAccepted(id);
  }
  return urls;
}

/** Milliseconds that a wait takes if the server reports nothing. */
async function waitMs(urls: UrlElicitations): Promise<number> {
  let isOver = false;
  void urls.waitForCompletion(signal).then(() => (isOver = true));
  for (let ms = 0; ; ms += 100) {
    await vi.advanceTimersByTimeAsync(0);
    if (isOver) return ms;
    await vi.advanceTimersByTimeAsync(100);
    clock.advance(100);
  }
}

test('the waits for a server that reports nothing double, from half a second to five', async () => {
  const urls = accepted('a');
  const waits: number[] = [];
  for (let round = 0; round < 6; round += 1) waits.push(await waitMs(urls));
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
});

test('a wait ends when the server reports completion, which counts once per elicitation', async () => {
  const urls = accepted('a', 'b');
  const wait = urls.waitForCompletion(signal);
  expect(urls.complete('a')).toBe(true);
  expect(await wait).toBe(true);
  expect(urls.complete('a')).toBe(false);
  expect(await waitMs(urls)).toBe(1_000);
});

test('an elicitation that completed before it was accepted needs no wait', async () => {
  const urls = new UrlElicitations(clock, { expiryMs: EXPIRY_MS });
  urls.recordRequested('a');
  expect(urls.complete('a')).toBe(true);
  urls.recordAccepted('a');
  expect(urls.hasAccepted('a')).toBe(true);
  expect(await waitMs(urls)).toBe(0);
});

test('an unknown or declined id completes nothing', () => {
  const urls = accepted('a');
  urls.recordRequested('b');
  urls.recordDeclined('b');
  expect(['b', 'c', ''].map((id) => urls.complete(id))).toEqual([false, false, false]);
  expect(urls.hasAccepted('b')).toBe(false);
});

test('an elicitation that has expired needs no wait', async () => {
  const urls = accepted('a');
  clock.advance(EXPIRY_MS - 200);
  expect(await waitMs(urls)).toBe(200);
  expect(await urls.waitForCompletion(signal)).toBe(false);
});

test('a wait ends with the call', async () => {
  const call = new AbortController();
  const wait = accepted('a').waitForCompletion(call.signal);
  call.abort();
  await wait;
  expect(vi.getTimerCount()).toBe(0);
});

test('an id over 256 characters is ignored', () => {
  const id = 'x'.repeat(257);
  const urls = accepted(id);
  expect([urls.hasAccepted(id), urls.complete(id)]).toEqual([false, false]);
});
