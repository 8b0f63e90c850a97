import { resolve } from 'node:path';
import { afterEach, expect } from 'vitest';
import type { Caller, Delivery } from '../../fixtures/clients/caller.ts';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { CountedHome } from '../../fixtures/homes/counted-home.ts';
import { forgetPeakOf, peakMemoryOf } from '../../fixtures/programs/process-stats.ts';
import { scaled } from '../../fixtures/scale.ts';
import { MisbehavingServer } from '../../fixtures/servers/misbehaving-server.ts';

let counted: CountedHome;
let liar: MisbehavingServer;
afterEach(async () => {
  await counted.close();
  await liar.close();
});

const MISBEHAVING_CHILD = resolve(import.meta.dirname, '../../fixtures/servers/misbehaving-stdio.mjs');
const CAP_MB = 16;
/** Notifications of one call; `npm run scale` sends a million. */
const NOTICES = scaled({ small: 100_000, full: 1_000_000 });
const LONG = 600_000;
const COMMON = `timeout: 60s\npin: auto\nrisk: read\nmaxResultBytes: ${CAP_MB << 20}\n`;

const shortly = (outcome: Delivery): string => (outcome.kind === 'refused' ? outcome.reason : outcome.kind);

/** What goes wrong, and how that call has to end. */
const CASES: readonly (readonly [what: string, tool: string, args: object, ending: string])[] = [
  ['a result within the cap', 'crooked__big', { bytes: 15_000_000 }, 'result'],
  ['a result of 50 MB over HTTP', 'liar__huge', {}, 'result-too-large'],
  ['a result of 50 MB on pipes', 'crooked__big', { bytes: 50_000_000 }, 'result-too-large'],
  ['an event that does not end', 'liar__endless_event', {}, 'result-too-large'],
  [`${NOTICES.toLocaleString('en')} notifications over HTTP`, 'liar__flood', { messages: NOTICES }, 'result'],
  [`${NOTICES.toLocaleString('en')} notifications on pipes`, 'crooked__flood', { messages: NOTICES }, 'result'],
];

verifies('F7', 'F10', 'F16')(
  'oversized results and notification floods fail their own call and use little memory',
  async () => {
    liar = await MisbehavingServer.start();
    const child = { type: 'stdio', command: process.execPath, args: [MISBEHAVING_CHILD, '{}'] };
    counted = await CountedHome.create({
      agents: ['ann', 'ben'],
      files: {
        'registry/servers/liar.yaml': `name: liar\ntransport: { type: streamable-http, url: "${liar.url}" }\n${COMMON}`,
        'registry/servers/crooked.yaml': `name: crooked\ntransport: ${JSON.stringify(child)}\n${COMMON}`,
      },
    });
    const served = await counted.home.serve();
    const { pid } = served.child;
    const [ann, ben] = [counted.caller(served, 'ann'), counted.caller(served, 'ben')];
    // Until what lives shortly has all the room that the engine gives it: that is no growth afterwards.
    await warm(ben);
    expect(shortly(await ann.call('crooked__big', { bytes: 15_000_000 }))).toBe('result');
    await warm(ben);
    const grown: [string, number][] = [];
    for (const [what, tool, args, ending] of CASES) {
      const restingMb = restingMbOf(pid);
      forgetPeakOf(pid);
      const outcome = ann.call(tool, { ...args });
      const good = await ben.call('counter__act', { nonce: what });
      expect([what, shortly(await outcome), good.kind]).toEqual([what, ending, 'result']);
      grown.push([what, peakMemoryOf(pid) / 1_048_576 - restingMb]);
    }
    process.stdout.write(
      `peak over rest, where results may have ${CAP_MB} MB:\n${grown.map(([what, mb]) => `  ${what}: ${mb.toFixed(0)} MB, ${(mb / CAP_MB).toFixed(1)} times the cap\n`).join('')}`,
    );
    expect(Math.max(...grown.map(([, mb]) => mb))).toBeLessThan(200);
    expect(await ann.call('liar__echo', { nonce: 'still' })).toEqual({ kind: 'result', text: 'still' });
  },
  LONG,
);

async function warm(caller: Caller): Promise<void> {
  for (let round = 0; round < 40; round += 1) {
    await Promise.all(Array.from({ length: 25 }, (_, at) => caller.call('counter__act', { nonce: `${round}-${at}` })));
  }
}

/** Memory in MB as it is now. */
function restingMbOf(pid: number | undefined): number {
  forgetPeakOf(pid);
  return peakMemoryOf(pid) / 1_048_576;
}
