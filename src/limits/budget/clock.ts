import type { Clock } from '../../lib/time.ts';

/** How far the calendar clock may part from the budget clock before it counts as a jump: more than slewing ever does. */
const JUMP_MS = 10_000;

/** Calendar time for budgets: never goes backwards, and setting the machine's clock does not move it. */
export interface BudgetClock {
  /** Whole milliseconds since 1970. */
  nowMs(): number;
}

/** The machine's calendar clock was set while the broker ran, or stands behind what an earlier run saw. */
export interface ClockJump {
  /** Calendar clock less budget clock, in milliseconds: positive when the calendar clock is ahead. */
  readonly offsetMs: number;
}

/**
 * Anchors the calendar clock at the start and counts on by the monotonic clock. `notBeforeMs` is the latest time that
 * was persisted: a calendar clock set back before a restart gives no window a second time. A clock set while the broker
 * runs, and time that a sleeping machine does not count, are adopted at the next start and not before. `onJump` hears
 * once of each jump.
 */
export function createBudgetClock(options: {
  readonly clock: Clock;
  readonly notBeforeMs: number;
  readonly onJump: (jump: ClockJump) => void;
}): BudgetClock {
  const { clock, onJump } = options;
  const startedAtMs = clock.monotonicMs();
  const anchorMs = Math.max(clock.wallMs(), options.notBeforeMs);
  let reportedOffsetMs = 0;
  return {
    nowMs() {
      const nowMs = Math.floor(anchorMs + (clock.monotonicMs() - startedAtMs));
      const offsetMs = Math.round(clock.wallMs() - nowMs);
      if (Math.abs(offsetMs - reportedOffsetMs) > JUMP_MS) {
        reportedOffsetMs = offsetMs;
        onJump({ offsetMs });
      }
      return nowMs;
    },
  };
}
