import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteBuffer } from '../../../src/lib/byte-buffer.ts';

test('chunks of any size are joined, again after each take', () => {
  const piece = fc.uint8Array({ maxLength: 5_000 }).map((bytes) => Buffer.from(bytes));
  const property = fc.property(fc.array(fc.array(piece, { maxLength: 8 }), { maxLength: 4 }), (rounds) => {
    const pieces = new ByteBuffer();
    for (const round of rounds) {
      for (const each of round) pieces.push(each);
      const whole = Buffer.concat(round);
      expect(pieces.size).toBe(whole.length);
      expect(pieces.take().equals(whole)).toBe(true);
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test('a single chunk is not copied', () => {
  const pieces = new ByteBuffer();
  const alone = Buffer.from('alone');
  pieces.push(alone);
  expect(pieces.take()).toBe(alone);
});

test('a pushed chunk is never written to', () => {
  const pieces = new ByteBuffer();
  const whole = Buffer.from('abcd');
  pieces.push(whole.subarray(0, 1));
  pieces.push(Buffer.from('xyz'));
  expect(pieces.take().toString()).toBe('axyz');
  expect(whole.toString()).toBe('abcd');
});

test('single bytes take little more memory than their count', () => {
  const pieces = new ByteBuffer();
  for (let count = 0; count < 100_000; count += 1) pieces.push(Buffer.from('x'));
  const whole = pieces.take();
  expect(whole.length).toBe(100_000);
  expect(whole.buffer.byteLength).toBeLessThanOrEqual(200_000);
});
