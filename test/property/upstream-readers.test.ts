import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineReader } from '../../src/lib/line-reader.ts';
import { SseParser } from '../../src/upstream/transport/sse-parser.ts';

/** Cuts bytes at the given positions. */
function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const positions = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  );
  return positions.slice(1).map((end, index) => bytes.subarray(positions[index], end));
}

const messages = fc.array(fc.json({ maxDepth: 2 }), { minLength: 1, maxLength: 8 });
const cuts = fc.array(fc.nat(5_000), { maxLength: 40 });

test('however a stream of lines is cut, the same lines come out', () => {
  fc.assert(
    fc.property(messages, cuts, (sent, places) => {
      const seen: string[] = [];
      const fail = (): never => {
        throw new Error('no line is too long');
      };
      const reader = new LineReader(1 << 20, {
        onLine: (line) => seen.push(line.toString()),
        onOverlongLine: fail,
        onEndless: fail,
      });
      for (const chunk of chunksOf(Buffer.from(`${sent.join('\n')}\n`), places)) reader.push(chunk);
      expect(seen).toEqual(sent);
    }),
    { numRuns: 200 },
  );
});

test('however an event stream is cut, and however its lines end, the same events come out', () => {
  fc.assert(
    fc.property(messages, cuts, fc.constantFrom('\n', '\r', '\r\n'), (sent, places, newline) => {
      const seen: string[] = [];
      const reader = new SseParser(1 << 20, (data) => seen.push(data.toString()));
      const text = sent.map((message) => `event: message${newline}data: ${message}${newline}${newline}`).join('');
      for (const chunk of chunksOf(Buffer.from(text), places)) expect(reader.push(chunk)).toBe(true);
      expect(seen).toEqual(sent);
    }),
    { numRuns: 200 },
  );
});
