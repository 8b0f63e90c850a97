// Calls a tool that sends progress notifications, over a fixed number of connections, and measures when they arrive.
import { Pool } from 'undici';
import { bodyOf, type CallTarget, headersOf } from './call-target.ts';
import { argument, median, say } from './part.ts';

/** Calls to send. */
export interface StreamLoad extends CallTarget {
  /** Expected notifications of each call. */
  readonly notifications: number;
}

/** One round of streams, measured at the client. */
export interface StreamRound {
  readonly failures: number;
  /** Beginning of the first incomplete stream. */
  readonly failure: string;
  /** Median times from the request to the first notification, and to the end of the stream. */
  readonly firstMs: number;
  readonly lastMs: number;
}

const load = argument<StreamLoad>();
const pool = new Pool(load.origin, { connections: load.connections, pipelining: 1 });
const headers = headersOf(load);
const NOTICE = '"method":"notifications/progress"';

async function stream(
  id: number,
): Promise<{ readonly firstMs: number; readonly lastMs: number; readonly wrong: string }> {
  const startedMs = performance.now();
  const response = await pool.request({
    path: '/mcp',
    method: 'POST',
    headers,
    body: bodyOf(load, id, { progressToken: id }),
  });
  let text = '';
  let firstMs = Number.NaN;
  for await (const chunk of response.body) {
    if (text === '') firstMs = performance.now() - startedMs;
    text += String(chunk);
  }
  const lastMs = performance.now() - startedMs;
  const isWhole = text.split(NOTICE).length - 1 === load.notifications && text.includes('"structuredContent"');
  return { firstMs, lastMs, wrong: isWhole ? '' : `${response.statusCode} ${text.slice(0, 300)}` };
}

async function round(calls: number): Promise<StreamRound> {
  const first: number[] = [];
  const last: number[] = [];
  const wrongs: string[] = [];
  let made = 0;
  const connection = async (): Promise<void> => {
    while (made < calls) {
      made += 1;
      const { firstMs, lastMs, wrong } = await stream(made);
      first.push(firstMs);
      last.push(lastMs);
      if (wrong !== '') wrongs.push(wrong);
    }
  };
  await Promise.all(Array.from({ length: load.connections }, connection));
  return { failures: wrongs.length, failure: wrongs[0] ?? '', firstMs: median(first), lastMs: median(last) };
}

process.on('message', (calls: number) => {
  round(calls).then(say, (error: unknown) => say({ failures: calls, failure: String(error) }));
});
say('ready');
