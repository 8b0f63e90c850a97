import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { modernCall } from '../../fixtures/clients/raw-http.ts';
import { until } from '../../fixtures/homes/governed-home.ts';
import { completed, type HttpHarness, openHarness } from '../../fixtures/http-harness.ts';

let harness: HttpHarness;
let socket: Socket;
/** Functions that end the calls in flight, oldest first. */
let endCall: (() => void)[];
let cancelled: number;

beforeEach(async () => {
  [endCall, cancelled] = [[], 0];
  harness = await openHarness();
  harness.broker.behaviour = async ({ args }, signal) => {
    signal.addEventListener('abort', () => (cancelled += 1));
    await new Promise<void>((resolve) => endCall.push(resolve));
    return completed({ content: [], at: args.at ?? null });
  };
  socket = connect(harness.ingress.port, '127.0.0.1');
  socket.on('error', () => {});
});

afterEach(async () => {
  socket.destroy();
  await harness.ingress.close({ drainMs: 0 });
});

/** The bytes of several pipelined requests. */
function calls(count: number, last = ''): string {
  const all = Array.from({ length: count }, (_, at) => {
    const { headers, body } = modernCall('files__echo', { at }, at);
    const fields = Object.entries({
      host: `127.0.0.1:${harness.ingress.port}`,
      authorization: 'Bearer key-of-demo',
      'content-type': 'application/json',
      'content-length': `${Buffer.byteLength(body)}`,
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    return `POST /mcp HTTP/1.1\r\n${fields.join('')}${at === count - 1 ? last : ''}\r\n${body}`;
  });
  return all.join('');
}

test('pipelined requests are served one after the other', async () => {
  const read = text(socket);
  socket.write(calls(3, 'connection: close\r\n'));
  for (let ended = 0; ended < 3; ended += 1) {
    await until(() => endCall.length > ended);
    expect(harness.broker.calls.length).toBe(ended + 1);
    endCall[ended]?.();
  }
  expect((await read).match(/"at":\d/g)).toEqual(['"at":0', '"at":1', '"at":2']);
});

test('when a client disconnects, its waiting requests are not served, and no call stays in flight', async () => {
  socket.write(calls(3));
  await until(() => endCall.length > 0);
  socket.destroy();
  await until(() => cancelled > 0);
  endCall[0]?.();
  await harness.ingress.close({ drainMs: 0 });
  expect(harness.broker.calls.length).toBe(1);
});

test('a connection with too many pipelined requests is closed', async () => {
  socket.resume();
  socket.write(calls(66));
  await once(socket, 'close');
  expect(harness.broker.calls.length).toBe(1);
});

test('a connection with the maximum of pipelined requests has them all served', async () => {
  const read = text(socket);
  socket.write(calls(65, 'connection: close\r\n'));
  for (let ended = 0; ended < 65; ended += 1) {
    await until(() => endCall.length > ended);
    endCall[ended]?.();
  }
  expect((await read).match(/"at":\d+/g)?.length).toBe(65);
});
