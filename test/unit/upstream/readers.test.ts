import { expect, test } from 'vitest';
import { isBlankLine, LineReader } from '../../../src/lib/line-reader.ts';
import { encodeHeaderValue } from '../../../src/upstream/protocol/param-headers.ts';
import { guessResponseId, parseMessage } from '../../../src/upstream/protocol/parse-message.ts';
import { SseParser } from '../../../src/upstream/transport/sse-parser.ts';

function linesOf(chunks: readonly string[], maxBytes: number): string[] {
  const seen: string[] = [];
  const reader = new LineReader(maxBytes, {
    onLine: (line) => {
      if (!isBlankLine(line)) seen.push(line.toString());
    },
    onOverlongLine: (ends) => seen.push(`overlong ${ends.length}`),
    onEndless: () => seen.push('endless'),
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return seen;
}

function eventsOf(chunks: readonly string[], maxBytes = 1_000): (string | boolean)[] {
  const seen: (string | boolean)[] = [];
  const reader = new SseParser(maxBytes, (data) => seen.push(data.toString()));
  for (const chunk of chunks) if (!reader.push(Buffer.from(chunk))) seen.push(false);
  return seen;
}

const read = (text: string): unknown => parseMessage(Buffer.from(text), 10_000);

test('lines are complete however the bytes are cut, and blank lines are recognized', () => {
  expect(linesOf(['{"a"', ':1}\n\r\n{"b":2}\n', '{"c"', ':', '3}\n{"d"'], 100)).toEqual([
    '{"a":1}',
    '{"b":2}',
    '{"c":3}',
  ]);
});

test('only the ends of a line over the limit are kept, and the next line is read', () => {
  expect(linesOf(['x'.repeat(600), 'x'.repeat(600), '\n{"a":1}\n'], 1_000)).toEqual(['overlong 512', '{"a":1}']);
});

test('events are complete however the bytes are cut', () => {
  const stream =
    ': hello\r\nevent: message\r\ndata: {"a":1}\r\n\r\nid: 7\ndata:{"b":\ndata: 2}\n\nretry: 1\n\ndata: x\r\rdata: cut';
  expect(eventsOf([stream])).toEqual(['{"a":1}', '{"b":\n2}', 'x']);
  expect(eventsOf(stream.split(''))).toEqual(['{"a":1}', '{"b":\n2}', 'x']);
});

test('id and retry are the same however the bytes are cut', () => {
  const text = 'retry: 1500\r\nid: one\ndata: 1\n\nid:two three\r\rid: cut\ndata: ';
  for (const chunks of [[text], text.split('')]) {
    const reader = new SseParser(1_000, () => {});
    for (const chunk of chunks) reader.push(Buffer.from(chunk));
    expect([reader.lastEventId, reader.retryMs]).toEqual(['two three', 1_500]);
  }
});

test('an event without data, which only carries an id, is not a message', () => {
  expect(eventsOf(['id: 1\ndata: \n\nid: 2\ndata\n\nid: 3\ndata:\n\nid: 4\ndata: {"a":1}\n\n'])).toEqual(['{"a":1}']);
});

test.each([
  ['one long line', ['data: ', 'x'.repeat(2_000)]],
  ['many lines of one event', ['data: x\n'.repeat(1_000)]],
  ['many empty lines of one event', ['data:\n'.repeat(1_000)]],
])('an event that exceeds the limit by %s stops the parser', (_how, chunks) => {
  expect(eventsOf(chunks).at(-1)).toBe(false);
});

test.each([
  ['{"jsonrpc":"2.0","id":1,"result":{"a":1}}', { kind: 'response', id: 1 }],
  ['{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m"}}', { kind: 'response', id: 1 }],
  ['{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"m"}}', { kind: 'error-without-id' }],
  ['{"jsonrpc":"2.0","id":"a","method":"ping"}', { kind: 'request', id: 'a', method: 'ping' }],
  ['{"jsonrpc":"2.0","method":"n"}', { kind: 'notification', method: 'n' }],
  ['{"jsonrpc":"2.0","id":1,"result":[]}', { kind: 'invalid', id: 1 }],
  ['{"jsonrpc":"2.0","id":1,"result":null}', { kind: 'invalid', id: 1 }],
  ['{"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":"m"}}', { kind: 'invalid', id: 1 }],
  ['{"jsonrpc":"2.0","id":1,"error":"no"}', { kind: 'invalid', id: 1 }],
  ['{"jsonrpc":"2.0","id":1}', { kind: 'invalid', id: 1 }],
  ['{"jsonrpc":"1.0","id":1,"result":{}}', { kind: 'invalid', id: 1 }],
  ['{"jsonrpc":"2.0","id":"1","result":{}}', { kind: 'invalid' }],
  ['{"jsonrpc":"2.0","id":1,"id":2,"result":{}}', { kind: 'invalid' }],
  ['{"jsonrpc":"2.0","id":1,"result":{"__proto__":{}}}', { kind: 'invalid', id: 1 }],
  // JavaScript would round it, and the agent would get another id than the server sent.
  ['{"jsonrpc":"2.0","id":1,"result":{"structuredContent":{"id":9007199254740993}}}', { kind: 'invalid', id: 1 }],
  ['[]', { kind: 'invalid' }],
  ['', { kind: 'invalid' }],
])('the message %s is classified', (text, expected) => {
  expect(read(text)).toMatchObject(expected);
});

test.each([
  ['{"jsonrpc":"2.0","id":12,"result":{"id":3}}', 12],
  ['{"id":12,"result":{{{', 12],
  ['{"result":{{{,"jsonrpc":"2.0","id":12}', 12],
  ['{"result":{"x":1,"id":12}}', undefined],
  ['garbage', undefined],
])('the id of %s is guessed from its ends only', (text, id) => {
  expect(guessResponseId(Buffer.from(text))).toBe(id);
});

test.each([
  ['plain-name', 'plain-name'],
  ['héllo wörld', '=?base64?aMOpbGxvIHfDtnJsZA==?='],
  [' padded ', '=?base64?IHBhZGRlZCA=?='],
  ['a\r\nb: c', '=?base64?YQ0KYjogYw==?='],
  ['=?base64?eA==?=', '=?base64?PT9iYXNlNjQ/ZUE9PT89?='],
  ['', '=?base64??='],
])('%j is encoded as a safe header value', (text, value) => {
  expect(encodeHeaderValue(text)).toBe(value);
});
