import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { SendBufferBudget } from '../../../src/ingress/mcp/streamable-http/endpoint-state.ts';
import { ResponseStream } from '../../../src/ingress/mcp/streamable-http/serve-call.ts';
import { until } from '../../fixtures/homes/governed-home.ts';

const KB = 1_024;

test('calls whose agents do not read fill the room together, and a call that waits for little is never refused for them', () => {
  const room = new SendBufferBudget(1_000 * KB);
  expect(roomFor(room, 600 * KB).hasCapacity()).toBe(true);
  expect(roomFor(room, 400 * KB).hasCapacity()).toBe(true);
  const third = roomFor(room, 64 * KB);
  expect(third.hasCapacity()).toBe(true);
  third.record(65 * KB);
  expect(third.hasCapacity()).toBe(false);
});

test('what is read, and what waits when a call leaves, makes room again', () => {
  const room = new SendBufferBudget(1_000 * KB);
  const [one, other] = [roomFor(room, 900 * KB), roomFor(room, 200 * KB)];
  expect(other.hasCapacity()).toBe(false);
  one.record(100 * KB);
  expect(other.hasCapacity()).toBe(true);
  other.record(950 * KB);
  expect(other.hasCapacity()).toBe(false);
  one.release();
  one.release();
  expect(other.hasCapacity()).toBe(true);
});

function roomFor(room: SendBufferBudget, bytes: number): ReturnType<SendBufferBudget['acquire']> {
  const place = room.acquire();
  place.record(bytes);
  return place;
}

let server: Server | undefined;
afterEach(() => void server?.close());

/** A call that is sent `messages` at once and answered; its agent reads nothing yet. */
async function unreadCall(unread: SendBufferBudget, messages: readonly string[]): Promise<Socket> {
  let answered: () => void = () => {};
  const isAnswered = new Promise<void>((resolve) => (answered = resolve));
  const open = createServer((request, response) => {
    const stream = new ResponseStream(request, response, { isStillAuthenticated: () => true, sendBuffer: unread });
    for (const message of messages) stream.send(message);
    stream.end({ status: 200, body: '{}' });
    answered();
  });
  server = open.listen(0, '127.0.0.1');
  await once(open, 'listening');
  const client = connect((open.address() as AddressInfo).port, '127.0.0.1');
  client.pause();
  client.write('GET / HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n');
  await isAnswered;
  return client;
}

// More than the operating system takes from one who writes to one who does not read.
const LARGE = 'x'.repeat(16 * 1_024 * KB);

test('what an agent has not read fills the room until it reads, after the reply too and in one message', async () => {
  const room = new SendBufferBudget(1_000 * KB);
  const other = roomFor(room, 500 * KB);
  const client = await unreadCall(room, [LARGE]);
  expect(other.hasCapacity()).toBe(false);
  client.resume();
  await until(() => other.hasCapacity());
  client.destroy();
});

test('what an agent has not read makes room when it goes away', async () => {
  const room = new SendBufferBudget(1_000 * KB);
  const other = roomFor(room, 500 * KB);
  const client = await unreadCall(room, [LARGE, LARGE]);
  expect(other.hasCapacity()).toBe(false);
  client.destroy();
  await until(() => other.hasCapacity());
});
