import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMessage } from '../../src/ingress/mcp/protocol/json-rpc.ts';

const LIMITS = { maxBytes: 10_000, maxDepth: 32 };
const METHOD = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: {} };

test('any bytes are a message or an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(typeof parseMessage(bytes, LIMITS).ok).toBe('boolean');
    }),
    { numRuns: 500 },
  );
});

test('a message with any other member is refused', () => {
  const member = fc.string({ minLength: 1, maxLength: 20 }).filter((key) => !Object.hasOwn(METHOD, key));
  fc.assert(
    fc.property(member, fc.jsonValue({ maxDepth: 2 }), (key, value) => {
      const text = `${JSON.stringify(METHOD).slice(0, -1)},${JSON.stringify(key)}:${JSON.stringify(value)}}`;
      expect(parseMessage(text, LIMITS)).toMatchObject({ ok: false });
    }),
    { numRuns: 500 },
  );
});

test('an accepted message survives serialization unchanged', () => {
  const message = fc.record(
    {
      jsonrpc: fc.constantFrom('2.0', '1.0'),
      id: fc.oneof(fc.string(), fc.integer(), fc.double(), fc.constant(null)),
      method: fc.string({ maxLength: 140 }),
      params: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), fc.array(fc.integer())),
    },
    { requiredKeys: ['jsonrpc', 'method'] },
  );
  fc.assert(
    fc.property(message, (sent) => {
      const read = parseMessage(JSON.stringify(sent), LIMITS);
      if (!read.ok || !('message' in read)) return;
      const { params, ...rest } = read.message;
      expect({ jsonrpc: '2.0', ...rest, ...(sent.params === undefined ? {} : { params }) }).toEqual(
        JSON.parse(JSON.stringify(sent)),
      );
    }),
    { numRuns: 500 },
  );
});
