// Sends calls over a fixed number of connections, each as soon as the one before it is answered.
import { Pool } from 'undici';
import { type AskedTool, bodyOf, headersOf } from './asked-tool.ts';
import { argument, median, say } from './part.ts';

/** One round of calls, as the caller sees it. */
export interface Round {
  readonly calls: number;
  readonly failures: number;
  /** The first answer that was not a result. */
  readonly failure: string;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const load = argument<AskedTool>();
const pool = new Pool(load.origin, { connections: load.connections, pipelining: 1 });
const headers = headersOf(load);
let lastId = 0;

async function call(): Promise<string> {
  lastId += 1;
  const answer = await pool.request({ path: '/mcp', method: 'POST', headers, body: bodyOf(load, lastId) });
  const text = await answer.body.text();
  return answer.statusCode === 200 && text.includes('"structuredContent"') ? '' : `${answer.statusCode} ${text}`;
}

async function round(calls: number): Promise<Round> {
  const latencies: number[] = [];
  let failures = 0;
  let failure = '';
  let left = calls;
  const connection = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const startedMs = performance.now();
      const wrong = await call();
      latencies.push(performance.now() - startedMs);
      if (wrong === '') continue;
      failures += 1;
      failure ||= wrong.slice(0, 300);
    }
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: load.connections }, connection));
  const seconds = (performance.now() - startedMs) / 1_000;
  latencies.sort((a, b) => a - b);
  const p99Ms = latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
  return { calls, failures, failure, callsPerSecond: calls / seconds, p50Ms: median(latencies), p99Ms };
}

process.on('message', (calls: number) => {
  round(calls).then(say, (error: unknown) => say({ failures: calls, failure: String(error) }));
});
say('ready');
