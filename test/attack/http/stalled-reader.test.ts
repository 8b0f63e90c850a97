import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { modernCall } from '../../fixtures/clients/raw-http.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { completed, type HttpHarness, openHarness } from '../../fixtures/http-harness.ts';

/** More than a kernel buffers for a client that does not read. */
const ANSWER_BYTES = 32 * 1_048_576;

let harness: HttpHarness;
let socket: Socket;
afterEach(async () => {
  socket.destroy();
  await harness.ingress.close({ drainMs: 0 });
});

/** Makes a call whose reply is a large text, and reads nothing of it yet. */
async function askForMuch(stalledResponseMs: number): Promise<void> {
  harness = await openHarness({ timeouts: { stalledResponseMs } });
  harness.broker.behaviour = () => completed({ content: [{ type: 'text', text: 'x'.repeat(ANSWER_BYTES) }] });
  const { headers, body } = modernCall('files__echo');
  const fields = Object.entries({
    host: `127.0.0.1:${harness.ingress.port}`,
    authorization: 'Bearer key-of-demo',
    connection: 'close',
    'content-type': 'application/json',
    'content-length': `${Buffer.byteLength(body)}`,
    ...headers,
  });
  socket = connect(harness.ingress.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.pause();
  socket.write(`POST /mcp HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
  await expect.poll(() => harness.broker.calls.length).toBe(1);
}

/** Reads with a pause after each chunk until the connection ends. */
async function bytesUntilEnd(pauseMs: number): Promise<number> {
  let bytes = 0;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (pauseMs === 0) return;
    socket.pause();
    void wait(pauseMs).then(() => socket.resume());
  });
  socket.resume();
  await closed;
  return bytes;
}

verifies('P11', 'F12')('the connection of a reply that its client does not read is closed', async () => {
  await askForMuch(200);
  await wait(2_000);
  expect(await bytesUntilEnd(0)).toBeLessThan(ANSWER_BYTES);
});

test('a reply that its client reads slowly arrives complete', async () => {
  await askForMuch(1_000);
  expect(await bytesUntilEnd(5)).toBeGreaterThan(ANSWER_BYTES);
});
