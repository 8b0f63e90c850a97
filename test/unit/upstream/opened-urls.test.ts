import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { UrlElicitations } from '../../../src/upstream/call/url-elicitations.ts';
import { stillClock } from '../../fixtures/upstream-pool.ts';

const EXPIRY_MS = 60_000;
const clock = stillClock();
const { signal } = new AbortController();

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function opened(...ids: readonly string[]): UrlElicitations {
  const urls = new UrlElicitations(clock, { expiryMs: EXPIRY_MS });
  for (const id of ids) {
    urls.recordRequested(id);
    urls.recordAccepted(id);
  }
  return urls;
}

/** How long is waited for a server that says nothing. */
async function waited(urls: UrlElicitations): Promise<number> {
  let isOver = false;
  void urls.waitForCompletion(signal).then(() => (isOver = true));
  for (let ms = 0; ; ms += 100) {
    await vi.advanceTimersByTimeAsync(0);
    if (isOver) return ms;
    await vi.advanceTimersByTimeAsync(100);
    clock.advance(100);
  }
}

test('the waits for a server that says nothing double, from half a second to five', async () => {
  const urls = opened('a');
  const waits: number[] = [];
  for (let round = 0; round < 6; round += 1) waits.push(await waited(urls));
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
});

test('a wait ends when the server says that the interaction is over, and each says so once', async () => {
  const urls = opened('a', 'b');
  const wait = urls.waitForCompletion(signal);
  expect(urls.complete('a')).toBe(true);
  expect(await wait).toBe(true);
  expect(urls.complete('a')).toBe(false);
  expect(await waited(urls)).toBe(1_000);
});

test('an interaction that was over before the accept came is not waited for', async () => {
  const urls = new UrlElicitations(clock, { expiryMs: EXPIRY_MS });
  urls.recordRequested('a');
  expect(urls.complete('a')).toBe(true);
  urls.recordAccepted('a');
  expect(urls.hasAccepted('a')).toBe(true);
  expect(await waited(urls)).toBe(0);
});

test('an id that nobody was asked under, or that was refused, completes nothing', () => {
  const urls = opened('a');
  urls.recordRequested('b');
  urls.recordDeclined('b');
  expect(['b', 'c', ''].map((id) => urls.complete(id))).toEqual([false, false, false]);
  expect(urls.hasAccepted('b')).toBe(false);
});

test('what goes on for longer than it may is not waited for', async () => {
  const urls = opened('a');
  clock.advance(EXPIRY_MS - 200);
  expect(await waited(urls)).toBe(200);
  expect(await urls.waitForCompletion(signal)).toBe(false);
});

test('a wait ends with the call', async () => {
  const call = new AbortController();
  const wait = opened('a').waitForCompletion(call.signal);
  call.abort();
  await wait;
  expect(vi.getTimerCount()).toBe(0);
});

test('an id that is longer than any has to be names nothing', () => {
  const id = 'x'.repeat(257);
  const urls = opened(id);
  expect([urls.hasAccepted(id), urls.complete(id)]).toEqual([false, false]);
});
