import { afterEach, expect, test } from 'vitest';
import type { Caller } from '../fixtures/caller.ts';
import { CountedHome } from '../fixtures/counted-home.ts';
import { LyingServer } from '../fixtures/lying-server.ts';

let counted: CountedHome;
let liar: LyingServer;
afterEach(async () => {
  await counted.close();
  await liar.close();
});

/** Calls another server until `isDone`; gives the durations in milliseconds, and how many were no result. */
async function others(
  caller: Caller,
  isDone: () => boolean,
): Promise<{ readonly ms: number[]; readonly failed: number }> {
  const ms: number[] = [];
  let failed = 0;
  while (!isDone()) {
    const startedMs = performance.now();
    if ((await caller.call('counter__act', { nonce: `n${ms.length}` })).kind !== 'result') failed += 1;
    ms.push(performance.now() - startedMs);
  }
  return { ms: ms.sort((a, b) => a - b), failed };
}

function after(times: number): () => boolean {
  let asked = 0;
  return () => {
    asked += 1;
    return asked > times;
  };
}

/** Runs `during` while another server is called; prints how those calls went beside it, and gives how many failed. */
async function besides(what: string, during: () => Promise<void>): Promise<number> {
  const served = await counted.home.serve();
  const ann = counted.caller(served, 'ann');
  await ann.call('liar__echo', { nonce: 'opens the session' });
  const ben = counted.caller(served, 'ben');
  await others(ben, after(20));
  const quiet = await others(ben, after(60));
  let isDone = false;
  const beside = others(ben, () => isDone);
  await during();
  isDone = true;
  const { ms, failed } = await beside;
  const median = (sorted: readonly number[]): string => (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(1);
  process.stdout.write(`${what}: others ${median(quiet.ms)} ms before, ${median(ms)} ms beside it, ${failed} failed\n`);
  return failed + quiet.failed;
}

async function home(): Promise<void> {
  liar = await LyingServer.start({ tools: ['echo', 'lookup'] });
  counted = await CountedHome.make({
    agents: ['ann', 'ben'],
    files: {
      'registry/servers/liar.yaml': `name: liar
transport: { type: streamable-http, url: "${liar.url}" }
pin: auto
timeout: 2s
tools: { lookup: { risk: read }, echo: { risk: write } }
`,
    },
  });
}

test('F8, F9: a server that is killed under calls and comes back serves reads again, and the others never noticed', async () => {
  await home();
  const failed = await besides('a server killed and restarted', async () => {
    const served = counted.home.running()[0];
    const ann = counted.caller({ url: served?.url ?? '' }, 'ann');
    const { port } = liar;
    await liar.close();
    const whileGone = await Promise.all(Array.from({ length: 20 }, () => ann.call('liar__lookup', { id: '1' })));
    expect(new Set(whileGone.map((told) => (told.kind === 'refused' ? told.reason : told.kind)))).toEqual(
      new Set(['upstream-unavailable']),
    );
    liar = await LyingServer.start({ port, tools: ['echo', 'lookup'] });
    const backMs = performance.now();
    await expect
      .poll(async () => (await ann.call('liar__lookup', { id: '2' })).kind, { timeout: 30_000, interval: 20 })
      .toBe('result');
    process.stdout.write(`back in service ${Math.round(performance.now() - backMs)} ms after its return\n`);
  });
  expect(failed).toBe(0);
});

test('F8: a server that forgot its sessions costs no read, and the others nothing', async () => {
  await home();
  const failed = await besides('a server that forgets its sessions', async () => {
    const ann = counted.caller({ url: counted.home.running()[0]?.url ?? '' }, 'ann');
    for (let round = 0; round < 20; round += 1) {
      liar.forgetSessions();
      expect((await ann.call('liar__lookup', { id: `${round}` })).kind).toBe('result');
    }
  });
  expect(failed).toBe(0);
});
