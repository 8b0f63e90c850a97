import { expect, test } from 'vitest';
import { childTraceparent } from '../../../src/upstream/call/upstream-request.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const ids = { uuidv7: () => '', randomBytes: (length: number) => new Uint8Array(length).fill(0xab) };

test.each([
  [`00-${TRACE}-00f067aa0ba902b7-01`, `00-${TRACE}-abababababababab-01`],
  [`00-${TRACE}-00f067aa0ba902b7-00`, `00-${TRACE}-abababababababab-00`],
  // W3C Trace Context, "Versioning of traceparent": a later version is continued in the known one.
  [`cc-${TRACE}-00f067aa0ba902b7-01`, `00-${TRACE}-abababababababab-01`],
])('%s becomes %s', (received, sent) => {
  expect(childTraceparent(received, ids)).toBe(sent);
});

test.each([
  ['the forbidden version', `ff-${TRACE}-00f067aa0ba902b7-01`],
  ['a trace id of zeros', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
  ['a parent id of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['capitals', `00-${TRACE.toUpperCase()}-00f067aa0ba902b7-01`],
  ['a suffix', `00-${TRACE}-00f067aa0ba902b7-01-x`],
  ['a line break', `00-${TRACE}-00f067aa0ba902b7-01\r\nx: y`],
])('a context with %s is dropped', (_what, received) => {
  expect(childTraceparent(received, ids)).toBeUndefined();
});
