import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { modernCall } from '../../fixtures/clients/raw-http.ts';
import { until } from '../../fixtures/homes/governed-home.ts';
import { completed, type HttpHarness, openHarness } from '../../fixtures/http-harness.ts';

let harness: HttpHarness;
let socket: Socket;
/** Ends the oldest call that is under way. */
let answers: (() => void)[];
let cancelled: number;

beforeEach(async () => {
  [answers, cancelled] = [[], 0];
  harness = await openHarness();
  harness.broker.behaviour = async ({ args }, signal) => {
    signal.addEventListener('abort', () => (cancelled += 1));
    await new Promise<void>((resolve) => answers.push(resolve));
    return completed({ content: [], at: args.at ?? null });
  };
  socket = connect(harness.ingress.port, '127.0.0.1');
  socket.on('error', () => {});
});

afterEach(async () => {
  socket.destroy();
  await harness.ingress.close({ drainMs: 0 });
});

/** Requests as they lie on the wire, one behind the other. */
function calls(count: number, last = ''): string {
  const all = Array.from({ length: count }, (_, at) => {
    const { headers, body } = modernCall('files__echo', { at }, at);
    const fields = Object.entries({
      ...{ host: `127.0.0.1:${harness.ingress.port}`, authorization: 'Bearer key-of-demo' },
      ...{ 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(body)}`, ...headers },
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    return `POST /mcp HTTP/1.1\r\n${fields.join('')}${at === count - 1 ? last : ''}\r\n${body}`;
  });
  return all.join('');
}

test('requests that come on one connection at once are served one after the other', async () => {
  const read = text(socket);
  socket.write(calls(3, 'connection: close\r\n'));
  for (let ended = 0; ended < 3; ended += 1) {
    await until(() => answers.length > ended);
    expect(harness.broker.calls.length).toBe(ended + 1);
    answers[ended]?.();
  }
  expect((await read).match(/"at":\d/g)).toEqual(['"at":0', '"at":1', '"at":2']);
});

test('what waits behind a call is never begun when its client goes away, and no call stays under way', async () => {
  socket.write(calls(3));
  await until(() => answers.length > 0);
  socket.destroy();
  await until(() => cancelled > 0);
  answers[0]?.();
  await harness.ingress.close({ drainMs: 0 });
  expect(harness.broker.calls.length).toBe(1);
});

test('a connection on which more wait than may is cut off', async () => {
  socket.resume();
  socket.write(calls(66));
  await once(socket, 'close');
  expect(harness.broker.calls.length).toBe(1);
});

test('a connection on which as many wait as may has them all served', async () => {
  const read = text(socket);
  socket.write(calls(65, 'connection: close\r\n'));
  for (let ended = 0; ended < 65; ended += 1) {
    await until(() => answers.length > ended);
    answers[ended]?.();
  }
  expect((await read).match(/"at":\d+/g)?.length).toBe(65);
});
