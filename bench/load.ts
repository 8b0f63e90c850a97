// Sends calls over a fixed number of connections: each after the response to the one before (closed loop), or at a fixed
// rate (open loop).
import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import { bodyOf, type CallTarget, headersOf } from './call-target.ts';
import { argument, median, say } from './part.ts';

/** One round of calls, measured at the client. */
export interface Round {
  readonly calls: number;
  readonly failures: number;
  /** The first response without a result. */
  readonly failure: string;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Calls to send. */
export interface CallLoad extends CallTarget {
  /** Calls per second, sent without waiting for earlier ones. Default: each connection sends after each response. */
  readonly callsPerSecond?: number;
}

const load = argument<CallLoad>();
const pool = new Pool(load.origin, { connections: load.connections, pipelining: 1 });
const headers = headersOf(load);
let lastId = 0;

async function call(): Promise<string> {
  lastId += 1;
  const response = await pool.request({ path: '/mcp', method: 'POST', headers, body: bodyOf(load, lastId) });
  const text = await response.body.text();
  return response.statusCode === 200 && text.includes('"structuredContent"') ? '' : `${response.statusCode} ${text}`;
}

async function round(calls: number): Promise<Round> {
  const latencies: number[] = [];
  let failures = 0;
  let failure = '';
  const measure = async (dueMs: number): Promise<void> => {
    const wrong = await call();
    latencies.push(performance.now() - dueMs);
    if (wrong === '') return;
    failures += 1;
    failure ||= wrong.slice(0, 300);
  };
  const startedMs = performance.now();
  await (load.callsPerSecond === undefined
    ? closedLoop(calls, measure)
    : openLoop(calls, load.callsPerSecond, measure));
  const seconds = (performance.now() - startedMs) / 1_000;
  latencies.sort((a, b) => a - b);
  const p99Ms = latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
  return { calls, failures, failure, callsPerSecond: calls / seconds, p50Ms: median(latencies), p99Ms };
}

type Measure = (dueMs: number) => Promise<void>;

async function closedLoop(calls: number, measure: Measure): Promise<void> {
  let left = calls;
  const connection = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await measure(performance.now());
    }
  };
  await Promise.all(Array.from({ length: load.connections }, connection));
}

/** The latency of a call starts when the call is due, so that a stall counts for every call behind it. */
async function openLoop(calls: number, callsPerSecond: number, measure: Measure): Promise<void> {
  const startedMs = performance.now();
  const made: Promise<void>[] = [];
  for (let index = 0; index < calls; index += 1) {
    const dueMs = startedMs + (index * 1_000) / callsPerSecond;
    await until(dueMs);
    made.push(measure(dueMs));
  }
  await Promise.all(made);
}

/** A timer is up to a millisecond late: the last part of the wait spins. */
async function until(dueMs: number): Promise<void> {
  for (let leftMs = dueMs - performance.now(); leftMs > 0; leftMs = dueMs - performance.now()) {
    if (leftMs > 1.5) await wait(leftMs - 1);
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

process.on('message', (calls: number) => {
  round(calls).then(say, (error: unknown) => say({ failures: calls, failure: String(error) }));
});
say('ready');
