import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { modernCall, openSession, send } from '../../fixtures/clients/raw-http.ts';
import { type HttpHarness, openHarness } from '../../fixtures/http-harness.ts';

let harness: HttpHarness;

beforeEach(async () => {
  harness = await openHarness();
});

afterEach(() => harness.ingress.close({ drainMs: 0 }));

const CALL = '"params":{"name":"files__echo","arguments":{}}';

test.each([
  ['not JSON', 400, -32700, '{"jsonrpc":'],
  ['empty', 400, -32700, ''],
  ['a byte order mark', 400, -32700, '\u{feff}{}'],
  ['invalid UTF-8', 400, -32700, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['an array 100,000 deep', 400, -32700, `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['a batch', 400, -32600, `[{"jsonrpc":"2.0","id":1,"method":"tools/call",${CALL}}]`],
  ['a number', 400, -32600, '1'],
  ['a method twice', 400, -32600, `{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call",${CALL}}`],
  [
    'a method twice by case',
    400,
    -32600,
    `{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call",${CALL}}`,
  ],
  ['`paramſ`', 400, -32600, `{"jsonrpc":"2.0","id":1,"method":"tools/call",${CALL},"param\u017f":{}}`],
  ['full-width `method`', 400, -32600, `{"jsonrpc":"2.0","id":1,"method":"ping","\uff4dethod":"tools/call"}`],
  ['an escaped second key', 400, -32600, `{"jsonrpc":"2.0","id":1,"method":"ping","\\u006dethod":"tools/call"}`],
  ['a foreign member', 400, -32600, `{"jsonrpc":"2.0","id":1,"method":"tools/call",${CALL},"x":1}`],
  ['a response', 400, -32600, '{"jsonrpc":"2.0","id":1,"result":{}}'],
  ['no version', 400, -32600, '{"id":1,"method":"ping"}'],
  ['an id beyond 2^53', 400, -32600, `{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call",${CALL}}`],
  ['an id that is a fraction', 400, -32600, `{"jsonrpc":"2.0","id":1.5,"method":"tools/call",${CALL}}`],
  ['an id that is null', 400, -32600, `{"jsonrpc":"2.0","id":null,"method":"tools/call",${CALL}}`],
  ['an id of 257 characters', 400, -32600, `{"jsonrpc":"2.0","id":"${'x'.repeat(257)}","method":"ping"}`],
  ['params that are an array', 400, -32600, '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["x"]}'],
  [
    '`__proto__` in arguments',
    400,
    -32600,
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"__proto__":{"role":"admin"}}}}',
  ],
  [
    'an escaped `__proto__`',
    400,
    -32600,
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"\\u005f_proto__":{}}}}',
  ],
])('%s is a protocol error, a record, and no call', async (_what, status, code, body) => {
  const session = await openSession(harness.ingress.port);
  const answer = await send(harness.ingress.port, { headers: session, body });
  expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([status, code]);
  expect(harness.broker.calls).toEqual([]);
  expect(harness.broker.malformed).toMatchObject([{ principal: { id: 'agent:demo' }, code }]);
  expect(({} as { role?: string }).role).toBeUndefined();
});

test('the process continues after all of them', async () => {
  await send(harness.ingress.port, { body: `${'['.repeat(100_000)}` });
  const { headers, body } = modernCall('files__echo');
  expect((await send(harness.ingress.port, { headers, body })).status).toBe(200);
});

test('the record of a malformed message contains no part of it', async () => {
  await send(harness.ingress.port, { body: '{"jsonrpc":"2.0","id":"hunter2","method":"hunter2","hunter2":1}' });
  expect(harness.broker.malformed).toHaveLength(1);
  expect(JSON.stringify(harness.broker.malformed)).not.toContain('hunter2');
});

test.each(['announced', 'in chunks'])('a body over the limit, %s, is refused and recorded', async (how) => {
  await harness.ingress.close({ drainMs: 0 });
  harness = await openHarness({ maxMessageBytes: 1_000 });
  const headers: Record<string, string> = how === 'announced' ? {} : { 'transfer-encoding': 'chunked' };
  const answer = await send(harness.ingress.port, { headers, body: `{"x":"${'y'.repeat(2_000)}"}` });
  expect(answer.status).toBe(413);
  expect(JSON.parse(answer.body).error.code).toBe(-32600);
  expect(harness.broker.malformed).toMatchObject([{ problem: 'the message is too large' }]);
});

test('the connection of a body far over the limit is closed before its end', async () => {
  await harness.ingress.close({ drainMs: 0 });
  harness = await openHarness({ maxMessageBytes: 1_000 });
  const socket = connect(harness.ingress.port, '127.0.0.1');
  const head = `host: 127.0.0.1:${harness.ingress.port}\r\nauthorization: Bearer key-of-demo\r\ncontent-type: application/json`;
  socket.write(`POST /mcp HTTP/1.1\r\n${head}\r\ncontent-length: 100000000\r\n\r\n${'y'.repeat(20_000)}`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 413 /);
});

test.each([
  ['content-encoding', 'gzip', 415],
  ['content-encoding', 'identity', 200],
  ['transfer-encoding', 'gzip, chunked', 415],
  ['transfer-encoding', 'chunked', 200],
])('a body whose %s is %s gets the status %i', async (field, encoding, status) => {
  const { headers, body } = modernCall('files__echo');
  const answer = await send(harness.ingress.port, { headers: { ...headers, [field]: encoding }, body });
  expect(answer.status).toBe(status);
});

test.each(['text/plain', 'application/jsonp', 'application/x-www-form-urlencoded'])(
  'a body of the type %s is refused',
  async (type) => {
    const { headers, body } = modernCall('files__echo');
    const answer = await send(harness.ingress.port, { headers: { ...headers, 'content-type': type }, body });
    expect(answer.status).toBe(415);
    expect(harness.broker.calls).toEqual([]);
  },
);
