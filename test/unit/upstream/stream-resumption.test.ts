import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SseParser, StreamResumption } from '../../../src/upstream/transport/sse-parser.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function readerOf(stream: string): SseParser {
  const reader = new SseParser(1_000, () => {});
  reader.push(Buffer.from(stream));
  return reader;
}

/** Milliseconds until the next stream is opened. */
function waitAfter(stream: string): number | undefined {
  let openedAtMs: number | undefined;
  const startMs = Date.now();
  const resumption = new StreamResumption(() => {
    openedAtMs = Date.now();
  });
  resumption.resume(readerOf(stream));
  vi.runAllTimers();
  return openedAtMs === undefined ? undefined : openedAtMs - startMs;
}

test.each([
  ['sends no `retry`', 'id: 1\ndata: \n\n', 1_000],
  ['sends a `retry`', 'id: 1\nretry: 2500\ndata: \n\n', 2_500],
  ['sends a `retry` before its events', 'retry:300\nid: 1\ndata: \n\n: over', 300],
  ['sends `retry: 0`', 'id: 1\nretry: 0\ndata: \n\n', 100],
  ['sends a `retry` of a day', 'id: 1\nretry: 86400000\ndata: \n\n', 60_000],
  ['sends a `retry` that is not a number', 'id: 1\nretry: 1e3\ndata: \n\n', 1_000],
  ['sends a `retry` that is too large for a timer', 'id: 1\nretry: 99999999999999\ndata: \n\n', 1_000],
])('the stream of a server that %s is resumed after the right delay', (_what, stream, expectedMs) => {
  expect(waitAfter(stream)).toBe(expectedMs);
});

test.each([
  ['is missing', 'data: 1\n\n'],
  ['belongs to an incomplete event', 'id: 1\ndata: 1\n'],
  ['was reset', 'id: 1\ndata: 1\n\nid\ndata: 2\n\n'],
  ['was reset with a colon', 'id: 1\ndata: 1\n\nid:\ndata: 2\n\n'],
  ['contains a control character', 'id: a\tb\ndata: 1\n\n'],
])('a stream whose last event id %s is not resumed', (_what, stream) => {
  expect(waitAfter(stream)).toBeUndefined();
});

test('id and delay apply to the following streams too', () => {
  const opened: string[] = [];
  const resumption = new StreamResumption((id) => opened.push(`${id} at ${Date.now() - startMs}`));
  const startMs = Date.now();
  for (const stream of ['id: 1\nretry: 200\ndata: \n\n', 'data: {}\n\n', '', 'id: 2\ndata: \n\n']) {
    resumption.resume(readerOf(stream));
    vi.runAllTimers();
  }
  expect(opened).toEqual(['1 at 200', '1 at 400', '1 at 600', '2 at 800']);
});

test('nothing is opened after `end`', () => {
  const opened: string[] = [];
  const resumption = new StreamResumption((id) => opened.push(id));
  expect(resumption.resume(readerOf('id: 1\ndata: \n\n'))).toBe(true);
  resumption.end();
  vi.runAllTimers();
  expect(opened).toEqual([]);
});
