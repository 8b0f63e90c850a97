import { closeSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { MachineProbe } from './check.ts';

const SYNC_SAMPLES = 5;
/** About an entry with its page. */
const SYNC_BLOCK: Uint8Array = Buffer.alloc(4_096);

/** The machine that this runs on. */
export const machineProbe: MachineProbe = {
  nodeVersion: process.versions.node,
  freeBytes: (directory) => {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  },
  syncMs: (directory) => {
    const path = join(directory, `.sync-probe-${process.pid}`);
    const file = openSync(path, 'w', 0o600);
    try {
      const times = Array.from({ length: SYNC_SAMPLES }, () => syncDurationMs(file)).sort((one, other) => one - other);
      return times[Math.floor(SYNC_SAMPLES / 2)] ?? 0;
    } finally {
      closeSync(file);
      rmSync(path, { force: true });
    }
  },
};

function syncDurationMs(file: number): number {
  const startedMs = performance.now();
  writeSync(file, SYNC_BLOCK);
  fsyncSync(file);
  return performance.now() - startedMs;
}
