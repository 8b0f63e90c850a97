import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { verifies } from '../../fixtures/docs/verifies.ts';
import { childrenOf } from '../../fixtures/programs/process-stats.ts';
import { scaled } from '../../fixtures/scale.ts';
import { commandServer, openPool, stillClock, until } from '../../fixtures/upstream-pool.ts';

/** How often the server is started; a thousand for a long run. */
const RESTARTS = scaled({ small: 50, full: 1_000 });
const WARM = 10;
/** A number that no other process sleeps for, by which what is left behind is found. */
const SLEEP = String(1_000_000 + process.pid);

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Processes that still sleep for our number. */
function leftBehind(): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8') === `sleep\0${SLEEP}\0`;
    } catch {
      // It ended between the two looks.
      return false;
    }
  }).length;
}

verifies('T6', 'F22')(
  'a server that crashes at every start leaves no process, no open file and no memory behind',
  async () => {
    const clock = stillClock();
    const crash = `sleep ${SLEEP} & head -c 300000 /dev/zero >&2; exit 3`;
    const server = commandServer(['-c', crash], { era: 'legacy' });
    const transport = { ...server.transport, type: 'stdio', command: '/bin/sh', args: ['-c', crash] } as const;
    const { call, pool } = openPool(
      { ...server, transport: { ...transport, resolveEnv: async () => ({}) } },
      { clock },
    );
    const children = childrenOf(process.pid).length;
    let files = 0;
    let memory = 0;
    for (let start = 0; start < RESTARTS; start += 1) {
      if (start === WARM) [files, memory] = [openFiles(), process.memoryUsage().rss];
      const outcome = await call('echo');
      expect(outcome).toMatchObject({ reason: 'upstream-unavailable', inDoubt: false });
      // Beyond the longest wait between two starts.
      clock.advance(60_001);
    }
    await until(() => leftBehind() === 0);
    expect(childrenOf(process.pid).length).toBe(children);
    expect(openFiles()).toBeLessThanOrEqual(files + 2);
    const grownMb = Math.round((process.memoryUsage().rss - memory) / 1_000_000);
    process.stdout.write(`${RESTARTS} starts: ${openFiles() - files} more open files, memory grew by ${grownMb} MB\n`);
    expect(grownMb).toBeLessThan(100);
    expect(pool.stderrTail('srv').length).toBe(65_536);
  },
  600_000,
);
