import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { SendBufferBudget } from '../../../src/ingress/mcp/streamable-http/endpoint-state.ts';
import { ResponseStream } from '../../../src/ingress/mcp/streamable-http/serve-call.ts';
import { until } from '../../fixtures/homes/governed-home.ts';

const KB = 1_024;

test('calls whose agents do not read share the budget, and a call with few unread bytes can always write', () => {
  const budget = new SendBufferBudget(1_000 * KB);
  expect(leaseWith(budget, 600 * KB).hasCapacity()).toBe(true);
  expect(leaseWith(budget, 400 * KB).hasCapacity()).toBe(true);
  const third = leaseWith(budget, 64 * KB);
  expect(third.hasCapacity()).toBe(true);
  third.record(65 * KB);
  expect(third.hasCapacity()).toBe(false);
});

test('bytes that are read, and those of a released call, return to the budget', () => {
  const budget = new SendBufferBudget(1_000 * KB);
  const [one, other] = [leaseWith(budget, 900 * KB), leaseWith(budget, 200 * KB)];
  expect(other.hasCapacity()).toBe(false);
  one.record(100 * KB);
  expect(other.hasCapacity()).toBe(true);
  other.record(950 * KB);
  expect(other.hasCapacity()).toBe(false);
  one.release();
  one.release();
  expect(other.hasCapacity()).toBe(true);
});

function leaseWith(budget: SendBufferBudget, bytes: number): ReturnType<SendBufferBudget['acquire']> {
  const lease = budget.acquire();
  lease.record(bytes);
  return lease;
}

let server: Server | undefined;
afterEach(() => void server?.close());

/** A call that sends `messages` at once and its reply; its agent reads nothing yet. */
async function unreadCall(budget: SendBufferBudget, messages: readonly string[]): Promise<Socket> {
  let onReplied: () => void = () => {};
  const replied = new Promise<void>((resolve) => (onReplied = resolve));
  const open = createServer((request, response) => {
    const stream = new ResponseStream(request, response, { isStillAuthenticated: () => true, sendBuffer: budget });
    for (const message of messages) stream.send(message);
    stream.end({ status: 200, body: '{}' });
    onReplied();
  });
  server = open.listen(0, '127.0.0.1');
  await once(open, 'listening');
  const client = connect((open.address() as AddressInfo).port, '127.0.0.1');
  client.pause();
  client.write('GET / HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\n\r\n');
  await replied;
  return client;
}

// More than the operating system buffers for a client that does not read.
const LARGE = 'x'.repeat(16 * 1_024 * KB);

test('unread bytes count until the agent reads them, after the reply too and within one message', async () => {
  const budget = new SendBufferBudget(1_000 * KB);
  const other = leaseWith(budget, 500 * KB);
  const client = await unreadCall(budget, [LARGE]);
  expect(other.hasCapacity()).toBe(false);
  client.resume();
  await until(() => other.hasCapacity());
  client.destroy();
});

test('unread bytes return to the budget when the agent disconnects', async () => {
  const budget = new SendBufferBudget(1_000 * KB);
  const other = leaseWith(budget, 500 * KB);
  const client = await unreadCall(budget, [LARGE, LARGE]);
  expect(other.hasCapacity()).toBe(false);
  client.destroy();
  await until(() => other.hasCapacity());
});
