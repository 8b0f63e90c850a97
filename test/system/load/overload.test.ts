import { Agent } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect } from 'vitest';
import { modernCall, type RawAnswer, send } from '../../fixtures/clients/raw-http.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { CountedHome } from '../../fixtures/homes/counted-home.ts';
import type { Served } from '../../fixtures/homes/home.ts';
import { type HttpUpstream, legacyHandler, sendJson, serveHttp } from '../../fixtures/http-upstream.ts';
import { scaled } from '../../fixtures/scale.ts';

/** How long five times as much is asked as can be done; `npm run scale` makes it longer. */
const SECONDS = scaled({ small: 3, full: 300 });
/** What it does without being asked too much is known sooner. */
const BEFORE_SECONDS = Math.min(SECONDS, 30);
const MAX_CALLS = 8;
const SERVICE_MS = 100;
const LONG = (SECONDS + BEFORE_SECONDS) * 1_000 + 300_000;

let counted: CountedHome;
afterEach(() => counted.close());

/** Fewer than one address may have: where the machine is busy, requests wait here and not at the listener. */
const connections = new Agent({ keepAlive: true, maxSockets: 1_024 });

function ask(served: Served, tool: string, nonce: string): Promise<RawAnswer> {
  const { headers, body } = modernCall(tool, { nonce });
  const authorization = `Bearer ${counted.keys.get('demo')}`;
  return send(Number(new URL(served.url).port), { headers: { ...headers, authorization }, body, agent: connections });
}

const isShed = ({ status, body }: RawAnswer): boolean => status === 503 && body.includes('"overloaded"');

verifies('F14')(
  'at five times its capacity the broker refuses the calls beyond it with Retry-After and completes the rest',
  async () => {
    counted = await CountedHome.create();
    counted.counter.pause = 'before-answering';
    const served = await counted.home.serve({ args: ['--max-calls', String(MAX_CALLS)] });
    const asked = Array.from({ length: 5 * MAX_CALLS }, (_, at) => ask(served, 'counter__act', `n-${at}`));
    let shed = 0;
    for (const one of asked) void one.then((answer) => (shed += Number(isShed(answer))));
    await counted.counter.until(({ acted }) => acted.length === MAX_CALLS);
    await expect.poll(() => shed, { timeout: 30_000, interval: 20 }).toBe(4 * MAX_CALLS);
    const [late, lateOfOthers] = await Promise.all([
      ask(served, 'counter__act', 'late'),
      ask(served, 'pipe__act', 'late'),
    ]);
    for (const answer of [late, lateOfOthers]) {
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
      expect(JSON.parse(answer.body)).toMatchObject({
        id: 1,
        result: {
          isError: true,
          _meta: { 'dev.seneschal/decision': { reason: 'overloaded', retryAfterMs: 1_000 } },
        },
      });
    }
    counted.counter.goOn();
    counted.counter.pause = 'nowhere';
    expect((await Promise.all(asked)).filter(({ status }) => status === 200)).toHaveLength(MAX_CALLS);
    expect(counted.counter.arrived).toHaveLength(MAX_CALLS);
    expect((await ask(served, 'counter__act', 'after')).status).toBe(200);
    await served.stop();
    expect(refusalsIn(counted)).toBe(4 * MAX_CALLS + 2);
    expect(await counted.replay()).toEqual({ code: 0, differences: 0, undecidable: 0 });
  },
);

/** Refusals in the ledger, including summed ones. */
function refusalsIn({ openLedger }: { openLedger: CountedHome['openLedger'] }): number {
  const ledger = openLedger.call(counted);
  const rows = ledger
    .prepare<[], { readonly kind: string; readonly body: string }>(
      `SELECT kind, body FROM entry WHERE body LIKE '%"overloaded"%'`,
    )
    .all();
  ledger.close();
  const counts = rows.map(({ kind, body }) =>
    kind === 'call.refusals-summed' ? (JSON.parse(body) as { readonly count: number }).count : 1,
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

interface Load {
  readonly goodPerSecond: number;
  readonly shedMs: readonly number[];
  readonly others: number;
}

/** Asks at a steady rate for so many seconds, whatever comes back. */
async function load(served: Served, perSecond: number, seconds: number): Promise<Load> {
  const underWay: Promise<void>[] = [];
  const shedMs: number[] = [];
  let good = 0;
  let others = 0;
  const startedMs = performance.now();
  for (let due = 0; performance.now() - startedMs < seconds * 1_000; ) {
    const wanted = Math.floor(((performance.now() - startedMs) / 1_000) * perSecond);
    for (; due < wanted; due += 1) {
      const askedMs = performance.now();
      underWay.push(
        ask(served, 'far__echo', String(due)).then((answer) => {
          if (isShed(answer)) shedMs.push(performance.now() - askedMs);
          else if (answer.status === 200 && !answer.body.includes('isError')) good += 1;
          else others += 1;
        }),
      );
    }
    await wait(5);
  }
  await Promise.all(underWay);
  const goodPerSecond = good / ((performance.now() - startedMs) / 1_000);
  return { goodPerSecond, shedMs: shedMs.sort((a, b) => a - b), others };
}

function slowUpstream(): Promise<HttpUpstream> {
  return serveHttp(
    legacyHandler({
      echo: ({ message }, response) => {
        const answer = { jsonrpc: '2.0', id: message.id ?? null, result: { content: [{ type: 'text', text: 'x' }] } };
        setTimeout(() => sendJson(response, answer), SERVICE_MS);
      },
    }),
  );
}

verifies('F14')(
  'under five times its load the broker keeps its throughput, and recovers afterwards',
  async () => {
    const { url } = await slowUpstream();
    counted = await CountedHome.create({
      files: {
        'registry/servers/far.yaml': `name: far\ntransport: { type: streamable-http, url: "${url}" }\npin: auto\nsharing: all\n`,
      },
    });
    const served = await counted.home.serve({ args: ['--max-calls', String(MAX_CALLS)] });
    const capacity = (MAX_CALLS * 1_000) / SERVICE_MS;
    const peak = await load(served, capacity * 0.9, BEFORE_SECONDS);
    const over = await load(served, capacity * 5, SECONDS);
    const stoppedMs = performance.now();
    const recovered = await ask(served, 'far__echo', 'after');
    const at = (share: number): string =>
      (over.shedMs[Math.floor(over.shedMs.length * share)] ?? Number.NaN).toFixed(1);
    process.stdout.write(`${SECONDS} s at ${capacity * 5} calls/s, five times the capacity: ${over.goodPerSecond.toFixed(0)} results/s, ${(over.goodPerSecond / peak.goodPerSecond).toFixed(2)} of ${peak.goodPerSecond.toFixed(0)} before
  ${over.shedMs.length} refused after ${at(0.5)} ms (median), ${at(0.99)} ms (p99); the first call after it took ${Math.round(performance.now() - stoppedMs)} ms
`);
    expect(recovered.status).toBe(200);
    expect(over.shedMs.length).toBeGreaterThan(0);
    expect([peak.others, over.others]).toEqual([0, 0]);
  },
  LONG,
);
