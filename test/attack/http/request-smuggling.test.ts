// Threat P11: requests that two parsers read differently, that never end, or that are too large.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { modernCall, send } from '../../fixtures/clients/raw-http.ts';
import { corpus } from '../../fixtures/corpora/corpora.ts';
import { httpVectors } from '../../fixtures/corpora/http-vectors.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { type HttpHarness, openHarness } from '../../fixtures/http-harness.ts';

let harness: HttpHarness;
const sockets: Socket[] = [];

beforeEach(async () => {
  harness = await openHarness();
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await harness.ingress.close({ drainMs: 0 });
});

function open(): Socket {
  const socket = connect(harness.ingress.port, '127.0.0.1');
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

/** Sends bytes on a new connection and reads until the server closes it. */
function untilClosed(...parts: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = open();
    let read = '';
    socket.on('data', (chunk: Buffer) => (read += chunk.toString('latin1')));
    socket.on('close', () => resolve(read));
    for (const part of parts) socket.write(part);
  });
}

/** A complete authenticated call, to follow on the same connection. */
function wholeCall(): string {
  const { headers, body } = modernCall('files__echo', { smuggled: true });
  const lines = Object.entries({ ...headers, authorization: 'Bearer key-of-demo', 'content-type': 'application/json' });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:${harness.ingress.port}\r\n${head}content-length: ${body.length}\r\n\r\n${body}`;
}

const statusesOf = (read: string): readonly number[] =>
  Array.from(read.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status));

const { folder, absent } = corpus('llhttp-http-parsing');
const vectors = absent === false ? httpVectors(folder).filter(({ isError }) => isError) : [];

verifies('P11').skipIf(absent !== false)('the corpus has the expected number of malformed requests', () => {
  expect(vectors.length).toBe(53);
});

verifies('P11')
  .skipIf(absent !== false)
  .each(vectors)('after the malformed request $name nothing else on its connection is read', async ({ bytes }) => {
  const statuses = statusesOf(await untilClosed(bytes, wholeCall()));
  expect(harness.broker.calls).toEqual([]);
  for (const status of statuses) expect([400, 403, 404, 405, 431]).toContain(status);
});

test('a well-formed call in the same form is served', async () => {
  const read = await untilClosed(
    wholeCall().replace('POST /mcp HTTP/1.1\r\n', 'POST /mcp HTTP/1.1\r\nconnection: close\r\n'),
  );
  expect(statusesOf(read)).toEqual([200]);
  expect(harness.broker.calls).toHaveLength(1);
});

const CALL_BODY = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const HEAD =
  'POST /mcp HTTP/1.1\r\nhost: HOST\r\nauthorization: Bearer key-of-demo\r\ncontent-type: application/json\r\n';

verifies('P11').each([
  ['a length and chunks', `${HEAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['two lengths', `${HEAD}content-length: 5\r\ncontent-length: 40\r\n\r\n${CALL_BODY}`],
  ['a length in other digits', `${HEAD}content-length: +40\r\n\r\n${CALL_BODY}`],
  ['chunks twice encoded', `${HEAD}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
  ['chunks under a name with a space', `${HEAD}transfer-encoding : chunked\r\n\r\n0\r\n\r\n`],
  ['a folded header', `${HEAD}x: a\r\n b\r\ncontent-length : 40\r\n\r\n${CALL_BODY}`],
  ['an invalid chunk size', `${HEAD}transfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`],
  ['a bare line feed', `${HEAD.replaceAll('\r\n', '\n')}content-length: 40\n\n${CALL_BODY}`],
])('P11: %s is refused with 400, and what follows on the connection is not served', async (_what, request) => {
  expect(
    statusesOf(await untilClosed(request.replace('HOST', `127.0.0.1:${harness.ingress.port}`), wholeCall())),
  ).toEqual([400]);
  expect(harness.broker.calls).toEqual([]);
});

verifies('P11')('a header of 32 KB is refused and its connection closed', async () => {
  expect(statusesOf(await untilClosed(`${HEAD}x: ${'a'.repeat(32_768)}\r\n\r\n`))).toEqual([431]);
});

verifies('P11', 'F12')('the connection of a head or body that never ends is closed', async () => {
  await harness.ingress.close({ drainMs: 0 });
  harness = await openHarness({ timeouts: { headMs: 200, requestMs: 400 } });
  const head = HEAD.replace('HOST', `127.0.0.1:${harness.ingress.port}`);
  const slowHead = untilClosed('POST /mcp HTTP/1.1\r\nhost: ');
  const slowBody = untilClosed(`${head}content-length: 40\r\n\r\n{`);
  const silent = untilClosed();
  expect(statusesOf(await slowHead)).toEqual([408]);
  expect(statusesOf(await slowBody)).toEqual([408]);
  expect(statusesOf(await silent)).toEqual([408]);
  expect(harness.broker.calls).toEqual([]);
});

verifies('P11', 'F12')(
  'the oldest of many silent connections of one address are closed, and a call is still served',
  async () => {
    await harness.ingress.close({ drainMs: 0 });
    harness = await openHarness({ connectionLimits: { perAddress: 100, silentPerAddress: 5, silentMs: 0 } });
    const closed = Array.from({ length: 20 }, () => untilClosed('POST /mcp'));
    await Promise.race(closed);
    const { headers, body } = modernCall('files__echo');
    expect((await send(harness.ingress.port, { headers, body })).status).toBe(200);
    await Promise.all(closed.slice(0, 10));
  },
);

verifies('P11')('connections that were opened together and send a moment later are all served', async () => {
  await harness.ingress.close({ drainMs: 0 });
  harness = await openHarness({ connectionLimits: { perAddress: 100, silentPerAddress: 5, silentMs: 60_000 } });
  const head = HEAD.replace('HOST', `127.0.0.1:${harness.ingress.port}`);
  const answered = Array.from({ length: 40 }, () => untilClosed());
  for (const socket of sockets) if (socket.connecting) await once(socket, 'connect');
  for (const socket of sockets) socket.write(`${head}connection: close\r\ncontent-length: 2\r\n\r\n{}`);
  for (const answer of answered) expect(statusesOf(await answer)).toEqual([400]);
});

verifies('P11', 'F12')('beyond the connection limit of an address a new connection is closed', async () => {
  await harness.ingress.close({ drainMs: 0 });
  harness = await openHarness({ connectionLimits: { perAddress: 3, silentPerAddress: 10, silentMs: 60_000 } });
  const opened = Array.from({ length: 6 }, () => untilClosed(''));
  const first = await Promise.race(opened);
  expect(first).toBe('');
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(opened);
  const { headers, body } = modernCall('files__echo');
  await expect
    .poll(
      () =>
        send(harness.ingress.port, { headers, body }).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 20_000 },
    )
    .toBe(200);
});
