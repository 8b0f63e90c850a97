import { afterEach, expect } from 'vitest';
import type { Caller, Delivery } from '../../fixtures/clients/caller.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { CountedHome } from '../../fixtures/homes/counted-home.ts';
import { legacyHandler, sendJson, serveHttp, textResponse } from '../../fixtures/http-upstream.ts';

let counted: CountedHome;
afterEach(() => counted.close());

const CALLS = 300;
const PATIENT = { timeout: 30_000, interval: 50 };

/** Calls a tool of a server so often, one call after the other; durations sorted. */
async function calls(
  caller: Caller,
  tool: string,
  count: number,
): Promise<{ readonly outcome: readonly Delivery[]; readonly ms: readonly number[] }> {
  const outcome: Delivery[] = [];
  const ms: number[] = [];
  for (let made = 0; made < count; made += 1) {
    const startedMs = performance.now();
    outcome.push(await caller.call(tool, { nonce: `${made}` }));
    ms.push(performance.now() - startedMs);
  }
  return { outcome, ms: ms.sort((a, b) => a - b) };
}

const kindsOf = (outcome: readonly Delivery[]): ReadonlySet<string> =>
  new Set(outcome.map((one) => (one.kind === 'refused' ? one.reason : one.kind)));

verifies('F9')('the breaker opens for a server that fails every second call, and closes when it recovers', async () => {
  let storms = true;
  let turn = 0;
  const { url } = await serveHttp(
    legacyHandler({
      echo: ({ message }, response) => {
        turn += 1;
        if (!storms || turn % 2 === 0) return sendJson(response, textResponse(message.id, 'fair'));
        if (turn % 4 === 1) response.destroy();
        else response.writeHead(503).end('out of order');
      },
    }),
  );
  counted = await CountedHome.create({
    agents: ['ann', 'ben'],
    files: {
      'registry/servers/storm.yaml': `name: storm\ntransport: { type: streamable-http, url: "${url}" }\npin: auto\nsharing: all\n`,
    },
  });
  const served = await counted.home.serve();
  const [ann, ben] = [counted.caller(served, 'ann'), counted.caller(served, 'ben')];
  await calls(ben, 'counter__act', 50);
  const before = await calls(ben, 'counter__act', CALLS);
  const [stormy, others] = await Promise.all([calls(ann, 'storm__echo', CALLS), calls(ben, 'counter__act', CALLS)]);
  expect(kindsOf(others.outcome)).toEqual(new Set(['result']));
  expect([...kindsOf(stormy.outcome)].sort()).toEqual(['result', 'upstream-lost', 'upstream-unavailable']);
  expect(served.printed()).toContain('breaker.opened');
  expect(served.printed()).not.toMatch(/breaker\.opened server=counter/);
  const p99 = ({ ms }: { readonly ms: readonly number[] }): number => ms[Math.floor(ms.length * 0.99)] ?? Number.NaN;
  process.stdout.write(
    `half of the answers of one server fail: p99 of another ${p99(before).toFixed(1)} ms before, ${p99(others).toFixed(1)} ms beside it\n`,
  );
  storms = false;
  await expect.poll(async () => (await ann.call('storm__echo', { nonce: 'after' })).kind, PATIENT).toBe('result');
  const after = await calls(ann, 'storm__echo', 20);
  expect(kindsOf(after.outcome)).toEqual(new Set(['result']));
  expect(served.printed()).toContain('breaker.closed');
});
