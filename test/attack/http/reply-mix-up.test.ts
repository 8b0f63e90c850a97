import { afterAll, beforeAll, expect, test } from 'vitest';
import { modernCall, openSession, send } from '../../fixtures/clients/raw-http.ts';
import { completed, type HttpHarness, openHarness } from '../../fixtures/http-harness.ts';

const CLIENTS = 200;
const CALLS_EACH = 25;

let harness: HttpHarness;

beforeAll(async () => {
  harness = await openHarness();
  let turn = 0;
  // Replies overtake each other: every call waits for a different number of turns of the event loop.
  harness.broker.behaviour = async ({ args }) => {
    turn += 1;
    for (let left = (turn * 7) % 23; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
    return completed({ content: [{ type: 'text', text: args.nonce ?? '' }] });
  };
});

afterAll(() => harness.ingress.close({ drainMs: 0 }));

test('200 clients that all use the id 1 get their own replies, 5,000 times', async () => {
  const mixed: string[] = [];
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_unused, client) => {
      const session =
        client % 2 === 0 ? await openSession(harness.ingress.port, client % 4 === 0 ? 'demo' : 'other') : undefined;
      for (let round = 0; round < CALLS_EACH; round += 1) {
        const nonce = `${client}:${round}`;
        const { headers, body } = modernCall('files__echo', { nonce });
        const legacy = {
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name: 'files__echo', arguments: { nonce } },
        };
        const answer = await send(
          harness.ingress.port,
          session ? { headers: session, body: JSON.stringify(legacy) } : { headers, body },
        );
        const reply = JSON.parse(answer.body);
        if (reply.id !== 1 || reply.result?.content[0].text !== nonce) mixed.push(`${nonce}: ${answer.body}`);
      }
    }),
  );
  expect(mixed).toEqual([]);
  expect(harness.broker.calls).toHaveLength(CLIENTS * CALLS_EACH);
});
