import { randomFillSync } from 'node:crypto';
import type { Ids } from '../lib/ids.ts';
import { uuidv7 } from '../lib/ids.ts';
import type { Clock } from '../lib/time.ts';

/** The machine's clocks. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

const POOL_BYTES = 8_192;

/** Ids and random bytes of the machine, drawn in pools because each draw is a system call. */
export function systemIds(clock: Clock = systemClock): Ids {
  const pool = new Uint8Array(POOL_BYTES);
  let drawnBytes = POOL_BYTES;
  let lastMs = 0;
  let sequence = 0;
  const drawBytes = (length: number): Uint8Array => {
    if (length > POOL_BYTES) return randomFillSync(new Uint8Array(length));
    if (drawnBytes + length > POOL_BYTES) {
      randomFillSync(pool);
      drawnBytes = 0;
    }
    const bytes = pool.slice(drawnBytes, drawnBytes + length);
    pool.fill(0, drawnBytes, drawnBytes + length);
    drawnBytes += length;
    return bytes;
  };
  return {
    uuidv7: () => {
      // Never backwards: ids sort by creation even when the calendar clock is set back.
      const nowMs = Math.max(clock.wallMs(), lastMs);
      sequence = nowMs === lastMs ? sequence + 1 : 0;
      // After 4,096 ids in one millisecond, the next millisecond is used early.
      lastMs = sequence > 0x0fff ? nowMs + 1 : nowMs;
      if (sequence > 0x0fff) sequence = 0;
      return uuidv7(lastMs, sequence, drawBytes(8));
    },
    randomBytes: (length) => drawBytes(length),
  };
}
