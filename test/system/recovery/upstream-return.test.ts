import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect } from 'vitest';
import type { JsonObject } from '../../../src/lib/json/json.ts';
import type { Caller, Delivery } from '../../fixtures/clients/caller.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { CountedHome } from '../../fixtures/homes/counted-home.ts';
import { scaled } from '../../fixtures/scale.ts';
import { MisbehavingServer, type MisbehavingServerOptions } from '../../fixtures/servers/misbehaving-server.ts';

/** How often a server is killed; `npm run scale` does it more often. */
const KILLS = scaled({ small: 2, full: 20 });
const MISBEHAVING_CHILD = resolve(import.meta.dirname, '../../fixtures/servers/misbehaving-stdio.mjs');
const READS: MisbehavingServerOptions = { tools: ['echo', 'lookup'] };
const LONG = 600_000;
/** A process that goes on ending early is started at intervals that double: that is a crash loop and no return. */
const QUICK_STARTS = 2;
/** Between two calls of one agent. */
const PAUSE_MS = 20;
const GONE_MS = 500;
const BETWEEN_MS = 500;

let counted: CountedHome;
let liar: MisbehavingServer;
afterEach(async () => {
  await counted.close();
  await liar.close();
});

interface Watched {
  readonly ms: readonly number[];
  readonly failed: number;
}

/** Calls another server until `isDone`; gives the durations in milliseconds, and how many were no result. */
async function others(caller: Caller, isDone: () => boolean): Promise<Watched> {
  const ms: number[] = [];
  let failed = 0;
  while (!isDone()) {
    const startedMs = performance.now();
    if ((await caller.call('counter__act', { nonce: `n${ms.length}` })).kind !== 'result') failed += 1;
    ms.push(performance.now() - startedMs);
    await wait(PAUSE_MS);
  }
  return { ms: ms.sort((a, b) => a - b), failed };
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const spread = ({ ms }: Watched): string =>
  `p50 ${at(ms, 0.5).toFixed(1)} ms, p95 ${at(ms, 0.95).toFixed(1)} ms (${ms.length} calls)`;

/** A read that is asked of the troubled server all the time, whatever comes of it. */
class Reads {
  /** When each read was sent that brought a result, and when that came. */
  readonly #worked: { readonly sentMs: number; readonly cameMs: number }[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(read: () => Promise<Delivery>) {
    this.#timer = setInterval(() => {
      const sentMs = performance.now();
      void read().then(({ kind }) => {
        if (kind === 'result') this.#worked.push({ sentMs, cameMs: performance.now() });
      });
    }, PAUSE_MS);
  }

  /** Milliseconds from `sinceMs` until the first result of a read that was sent after it. */
  async firstAfter(sinceMs: number): Promise<number> {
    for (;;) {
      const came = this.#worked.filter(({ sentMs }) => sentMs >= sinceMs).map(({ cameMs }) => cameMs);
      if (came.length > 0) return Math.min(...came) - sinceMs;
      await wait(PAUSE_MS);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/**
 * Has two agents call, one the troubled server and one another; first as it is and then while `disturb` troubles it over
 * and over, which resolves when the server is back. Prints how long after its return a read works, and how the calls of
 * the other agent went; gives how many of these failed.
 */
async function besides(
  what: string,
  read: readonly [string, JsonObject],
  disturb: () => Promise<void>,
  kills: number = KILLS,
): Promise<number> {
  const served = await counted.home.serve();
  const ann = counted.caller(served, 'ann');
  const ben = counted.caller(served, 'ben');
  const reads = new Reads(() => ann.call(...read));
  const phase = async (once: () => Promise<void>): Promise<Watched & { readonly returnsMs: readonly number[] }> => {
    let isDone = false;
    const watched = others(ben, () => isDone);
    const returnsMs: number[] = [];
    for (let round = 0; round < kills; round += 1) {
      await once();
      returnsMs.push(await reads.firstAfter(performance.now()));
      await wait(BETWEEN_MS);
    }
    isDone = true;
    return { ...(await watched), returnsMs: returnsMs.sort((a, b) => a - b) };
  };
  await phase(async () => {});
  const quiet = await phase(async () => {});
  const beside = await phase(disturb);
  reads.stop();
  const slower = at(beside.ms, 0.5) / at(quiet.ms, 0.5);
  process.stdout.write(`${what}, ${kills} times: the next read works ${Math.round(at(beside.returnsMs, 0.5))} ms after the return (median), ${Math.round(at(beside.returnsMs, 1))} ms at most
  others before: ${spread(quiet)}; beside it: ${spread(beside)}; ${slower.toFixed(2)} times the median; ${beside.failed} failed
`);
  return beside.failed + quiet.failed;
}

async function home(options: MisbehavingServerOptions = {}): Promise<void> {
  liar = await MisbehavingServer.start({ ...READS, ...options });
  const transport = {
    type: 'stdio',
    command: process.execPath,
    args: [MISBEHAVING_CHILD, JSON.stringify({ tools: ['pid', 'echo'] })],
  };
  counted = await CountedHome.create({
    agents: ['ann', 'ben'],
    files: {
      'registry/servers/liar.yaml': `name: liar
transport: { type: streamable-http, url: "${liar.url}" }
pin: auto
timeout: 2s
tools: { lookup: { risk: read }, echo: { risk: write } }
`,
      'registry/servers/child.yaml': `name: child
transport: ${JSON.stringify(transport)}
pin: auto
timeout: 10s
tools: { pid: { risk: read }, echo: { risk: read } }
`,
    },
  });
}

verifies('F8', 'F9')(
  'a server that is killed under calls and comes back serves reads again, and the others never noticed',
  async () => {
    await home();
    const failed = await besides('a server over HTTP killed and restarted', ['liar__lookup', { id: '1' }], async () => {
      const { port } = liar;
      await liar.close();
      await wait(GONE_MS);
      liar = await MisbehavingServer.start({ ...READS, port });
    });
    expect(failed).toBe(0);
  },
  LONG,
);

verifies('F8')(
  'a process that is killed is started again for the next read, and the others never noticed',
  async () => {
    await home();
    let reader: Caller | undefined;
    const failed = await besides(
      'a server on pipes killed',
      ['child__echo', { text: 'again' }],
      async () => {
        // The same agent, and so the same process.
        reader ??= counted.caller({ url: counted.home.running()[0]?.url ?? '' }, 'ann');
        const outcome = await reader.call('child__pid', {});
        if (outcome.kind === 'result') process.kill(Number(outcome.text), 'SIGKILL');
      },
      Math.min(KILLS, QUICK_STARTS),
    );
    expect(failed).toBe(0);
  },
  LONG,
);

verifies('F8').each([404, 400])(
  'a server that forgot its sessions and says so by %i costs no read, and the others nothing',
  async (unknownSessionStatus) => {
    await home({ unknownSessionStatus });
    const what = `a server that forgets its sessions, by ${unknownSessionStatus}`;
    const failed = await besides(what, ['liar__lookup', { id: '1' }], async () => liar.forgetSessions());
    expect(failed).toBe(0);
  },
  LONG,
);
