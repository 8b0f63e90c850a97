import { connect } from 'node:net';
import { afterEach, beforeEach, expect } from 'vitest';
import { modernCall, openSession, send } from '../../fixtures/clients/raw-http.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { type HttpHarness, openHarness, refused } from '../../fixtures/http-harness.ts';

let harness: HttpHarness;

beforeEach(async () => {
  harness = await openHarness();
});

afterEach(() => harness.ingress.close({ drainMs: 0 }));

/** Sends a call over a plain socket, waits until the broker has it, and resets the connection. */
async function callAndVanish(headers: Record<string, string>, body: string): Promise<void> {
  const socket = connect(harness.ingress.port, '127.0.0.1');
  const all = {
    host: `127.0.0.1:${harness.ingress.port}`,
    authorization: 'Bearer key-of-demo',
    'content-type': 'application/json',
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST /mcp HTTP/1.1\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  await expect.poll(() => harness.broker.calls.length).toBe(1);
  socket.destroy();
}

verifies('P14').each(['modern', 'legacy'])('a %s client that disconnects cancels its call', async (era) => {
  const cancelled = new Promise<void>((resolve) => {
    harness.broker.behaviour = (_request, signal) =>
      new Promise((answer) => {
        signal.addEventListener('abort', () => {
          resolve();
          answer(refused({ reason: 'cancelled', message: 'cancelled' }));
        });
      });
  });
  const modern = modernCall('files__echo');
  const legacy = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'files__echo' } });
  if (era === 'modern') await callAndVanish(modern.headers, modern.body);
  else await callAndVanish(await openSession(harness.ingress.port), legacy);
  await cancelled;
  harness.broker.behaviour = () => refused({});
  expect((await send(harness.ingress.port, modern)).status).toBe(200);
});
