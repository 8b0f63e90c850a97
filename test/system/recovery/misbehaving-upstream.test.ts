import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, expect } from 'vitest';
import type { Caller, Delivery } from '../../fixtures/clients/caller.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { CountedHome, callsEndingIn } from '../../fixtures/homes/counted-home.ts';
import type { Served } from '../../fixtures/homes/home.ts';
import { childrenOf, peakMemoryOf } from '../../fixtures/programs/process-stats.ts';
import { MisbehavingServer } from '../../fixtures/servers/misbehaving-server.ts';

let counted: CountedHome;
let liar: MisbehavingServer;
afterEach(async () => {
  await counted.close();
  await liar.close();
});

const MISBEHAVING_CHILD = resolve(import.meta.dirname, '../../fixtures/servers/misbehaving-stdio.mjs');
const commonOf = (timeout: string): string =>
  `timeout: ${timeout}\npin: auto\nrisk: write\ntools: { lookup: { risk: read } }\n`;

interface Serving {
  readonly env?: Readonly<Record<string, string>>;
  /** How long each of the lying servers may take. */
  readonly timeout?: string;
}

/** Serves the counting servers and, beside them, `liar` over HTTP and `crooked` on pipes. */
async function serve({ env = {}, timeout = '2s' }: Serving = {}): Promise<Served> {
  liar = await MisbehavingServer.start();
  counted = await CountedHome.create({
    agents: ['ann', 'ben'],
    files: {
      'registry/servers/liar.yaml': `name: liar
transport: { type: streamable-http, url: "${liar.url}" }
maxResultBytes: 65536
${commonOf(timeout)}`,
      'registry/servers/crooked.yaml': `name: crooked
transport: { type: stdio, command: ${JSON.stringify(process.execPath)}, args: [${JSON.stringify(MISBEHAVING_CHILD)}, "{}"] }
${commonOf(timeout)}`,
    },
  });
  return counted.home.serve({ env });
}

function shortly(delivery: Delivery): string {
  return delivery.kind === 'refused' ? delivery.reason : delivery.kind === 'result' ? 'result' : delivery.kind;
}

/** Calls a tool that works, over and over, until `done`; gives how often, and every answer that was not a result. */
async function goodCalls(
  caller: Caller,
  tool: string,
  done: Promise<unknown>,
): Promise<{ readonly made: number; readonly bad: readonly Delivery[] }> {
  let isDone = false;
  void done.finally(() => (isDone = true));
  const bad: Delivery[] = [];
  let made = 0;
  for (; !isDone; made += 1) {
    const delivery = await caller.call(tool, { nonce: `good-${made}` });
    if (delivery.kind !== 'result') bad.push(delivery);
  }
  return { made, bad };
}

verifies('F7', 'F10')(
  'a server that sends invalid data over HTTP fails only the affected calls, and uses little memory',
  async () => {
    const served = await serve();
    const ann = counted.caller(served, 'ann');
    await counted.caller(served, 'ben').call('counter__act', { nonce: 'warm' });
    const memoryBefore = peakMemoryOf(served.child.pid);
    const cases = [
      'wrong_id',
      'two_replies',
      'garbage',
      'endless_stream',
      'endless_event',
      'huge',
      'hang',
      'hang_up',
      'drip',
      'server_error',
      'invalid_output',
    ];
    const notifying = Promise.all(
      cases.map(async (lie) => [lie, shortly(await ann.call(`liar__${lie}`, {}))] as const),
    );
    const good = await goodCalls(counted.caller(served, 'ben'), 'counter__act', notifying);
    expect(Object.fromEntries(await notifying)).toEqual({
      wrong_id: 'upstream-protocol',
      two_replies: 'result',
      garbage: 'upstream-protocol',
      endless_stream: 'result-too-large',
      endless_event: 'result-too-large',
      huge: 'result-too-large',
      hang: 'upstream-timeout',
      hang_up: 'upstream-lost',
      drip: 'upstream-timeout',
      server_error: 'upstream-unavailable',
      invalid_output: 'output-invalid',
    });
    expect(good.bad).toEqual([]);
    expect(good.made).toBeGreaterThan(10);
    expect(await ann.call('liar__echo', { nonce: 'still' })).toEqual({ kind: 'result', text: 'still' });
    expect(callsEndingIn(counted.calls(), 'call.admitted')).toEqual([]);
    const grownMb = Math.round((peakMemoryOf(served.child.pid) - memoryBefore) / 1_000_000);
    process.stdout.write(`11 lies over HTTP: peak memory grew by ${grownMb} MB, ${good.made} good calls meanwhile\n`);
    expect(grownMb).toBeLessThan(200);
  },
);

verifies('F7', 'F10')(
  'a tool server that lies on pipes costs only the calls it lies to, and little memory',
  async () => {
    const served = await serve();
    const ann = counted.caller(served, 'ann');
    const ben = counted.caller(served, 'ben');
    await ben.call('crooked__echo', { text: 'warm' });
    const memoryBefore = peakMemoryOf(served.child.pid);
    const cases: Record<string, object> = {
      garbage: {},
      wrong_id: {},
      twice: {},
      big: { bytes: 50_000_000 },
      flood: { messages: 100_000 },
      endless: {},
      exit: {},
    };
    const delivery: Record<string, string> = {};
    const notifying = (async () => {
      // One after the other: they share the process of one agent, and some of them end it.
      for (const [lie, args] of Object.entries(cases))
        delivery[lie] = shortly(await ann.call(`crooked__${lie}`, { ...args }));
    })();
    const good = await goodCalls(ben, 'pipe__act', notifying);
    expect(delivery).toEqual({
      garbage: 'upstream-protocol',
      wrong_id: 'upstream-timeout',
      twice: 'result',
      big: 'result-too-large',
      flood: 'result',
      endless: 'upstream-lost',
      exit: 'upstream-lost',
    });
    expect(good.bad).toEqual([]);
    expect(good.made).toBeGreaterThan(10);
    expect(await ben.call('crooked__echo', { text: 'mine' })).toEqual({ kind: 'result', text: 'mine' });
    const grownMb = Math.round((peakMemoryOf(served.child.pid) - memoryBefore) / 1_000_000);
    process.stdout.write(`7 lies on pipes: peak memory grew by ${grownMb} MB, ${good.made} good calls meanwhile\n`);
    expect(grownMb).toBeLessThan(200);
  },
);

verifies('C7', 'F16')('with a heap of 256 MB every result of 50 MB is refused, and the broker survives', async () => {
  const served = await serve({ env: { NODE_OPTIONS: '--max-old-space-size=256' }, timeout: '60s' });
  const ann = counted.caller(served, 'ann');
  // One after the other: the server that prints them lives in this very process.
  for (let round = 0; round < 8; round += 1) {
    expect(shortly(await ann.call('liar__huge', {}))).toBe('result-too-large');
  }
  expect(await ann.call('crooked__big', { bytes: 50_000_000 })).toMatchObject({ reason: 'result-too-large' });
  expect(await ann.call('liar__echo', { nonce: 'still' })).toEqual({ kind: 'result', text: 'still' });
  expect(served.child.exitCode).toBeNull();
});

verifies('F6')(
  'a stopped process costs only the calls of its own agent, and serves again when it goes on',
  async () => {
    const served = await serve();
    const ann = counted.caller(served, 'ann');
    const ben = counted.caller(served, 'ben');
    const first = await ann.call('crooked__pid', {});
    const pid = Number(first.kind === 'result' ? first.text : 0);
    process.kill(pid, 'SIGSTOP');
    const stuck = ann.call('crooked__echo', { text: 'stuck' });
    const good = await goodCalls(ben, 'crooked__pid', stuck);
    expect(shortly(await stuck)).toBe('upstream-timeout');
    expect(good.bad).toEqual([]);
    process.kill(pid, 'SIGCONT');
    expect(await ann.call('crooked__pid', {})).toEqual({ kind: 'result', text: String(pid) });
  },
);

verifies('F8')('a killed process leaves its call in doubt and is started again for the next', async () => {
  const served = await serve();
  const ann = counted.caller(served, 'ann');
  const first = await ann.call('crooked__pid', {});
  const hanging = ann.call('crooked__hang', {});
  await expect.poll(() => callsEndingIn(counted.calls(), 'call.admitted').length, { timeout: 30_000 }).toBe(1);
  process.kill(Number(first.kind === 'result' ? first.text : 0), 'SIGKILL');
  expect(shortly(await hanging)).toMatch(/^upstream-(?:lost|timeout)$/);
  await expect
    .poll(async () => (await ann.call('crooked__echo', { text: 'again' })).kind, { timeout: 30_000, interval: 200 })
    .toBe('result');
});

verifies('F8')('after a server loses its sessions a read is retried, and a write is not sent twice', async () => {
  const served = await serve();
  const ann = counted.caller(served, 'ann');
  await ann.call('liar__echo', { nonce: 'opens the session' });
  liar.forgetSessions();
  expect(shortly(await ann.call('liar__lookup', { id: '7' }))).toBe('result');
  liar.forgetSessions();
  expect(shortly(await ann.call('liar__echo', { nonce: 'write' }))).toBe('upstream-lost');
  expect(liar.received.some(({ args }) => args.nonce === 'write')).toBe(false);
  expect(await ann.call('liar__echo', { nonce: 'next' })).toEqual({ kind: 'result', text: 'next' });
});

verifies('F22')('no process of a tool server outlives a broker that is stopped', async () => {
  const served = await serve();
  const first = await counted.caller(served, 'ann').call('crooked__pid', {});
  const pid = Number(first.kind === 'result' ? first.text : 0);
  expect(childrenOf(served.child.pid)).toContain(pid);
  await served.stop();
  expect(served.child.exitCode).toBe(0);
  expect(existsSync(`/proc/${pid}`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')).toBe(false);
});
