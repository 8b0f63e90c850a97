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
  ['says nothing', 'id: 1\ndata: \n\n', 1_000],
  ['says how long', 'id: 1\nretry: 2500\ndata: \n\n', 2_500],
  ['says it beside its events', 'retry:300\nid: 1\ndata: \n\n: over', 300],
  ['wants no pause', 'id: 1\nretry: 0\ndata: \n\n', 100],
  ['wants a day', 'id: 1\nretry: 86400000\ndata: \n\n', 60_000],
  ['wants what is no time', 'id: 1\nretry: 1e3\ndata: \n\n', 1_000],
  ['wants what no timer can hold', 'id: 1\nretry: 99999999999999\ndata: \n\n', 1_000],
])('a server that %s is asked again after a while', (_what, stream, expectedMs) => {
  expect(waitAfter(stream)).toBe(expectedMs);
});

test.each([
  ['had none', 'data: 1\n\n'],
  ['was cut before it ended', 'id: 1\ndata: 1\n'],
  ['was taken back', 'id: 1\ndata: 1\n\nid\ndata: 2\n\n'],
  ['was taken back by a colon', 'id: 1\ndata: 1\n\nid:\ndata: 2\n\n'],
  ['holds a control character', 'id: a\tb\ndata: 1\n\n'],
])('there is nothing to go on from where an id %s', (_what, stream) => {
  expect(waitAfter(stream)).toBeUndefined();
});

test('what was said once holds for the streams that follow', () => {
  const opened: string[] = [];
  const resumption = new StreamResumption((id) => opened.push(`${id} at ${Date.now() - startMs}`));
  const startMs = Date.now();
  for (const stream of ['id: 1\nretry: 200\ndata: \n\n', 'data: {}\n\n', '', 'id: 2\ndata: \n\n']) {
    resumption.resume(readerOf(stream));
    vi.runAllTimers();
  }
  expect(opened).toEqual(['1 at 200', '1 at 400', '1 at 600', '2 at 800']);
});

test('nothing is opened once it ended', () => {
  const opened: string[] = [];
  const resumption = new StreamResumption((id) => opened.push(id));
  expect(resumption.resume(readerOf('id: 1\ndata: \n\n'))).toBe(true);
  resumption.end();
  vi.runAllTimers();
  expect(opened).toEqual([]);
});
