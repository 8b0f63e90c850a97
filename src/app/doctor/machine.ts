import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from './check.ts';

const SYNCS = 5;
/** About an entry with its page. */
const PROBE: Uint8Array = Buffer.alloc(4_096);

/** The machine that this runs on. */
export const thisMachine: Machine = {
  nodeVersion: process.versions.node,
  freeBytes: (directory) => {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  },
  syncMs: (directory) => {
    const path = join(directory, `.sync-probe-${process.pid}`);
    const file = openSync(path, 'w', 0o600);
    try {
      const times = Array.from({ length: SYNCS }, () => timeOfSync(file)).sort((one, other) => one - other);
      return times[Math.floor(SYNCS / 2)] ?? 0;
    } finally {
      closeSync(file);
      rmSync(path, { force: true });
    }
  },
};

function timeOfSync(file: number): number {
  const startedMs = performance.now();
  writeSync(file, PROBE);
  fsyncSync(file);
  return performance.now() - startedMs;
}
