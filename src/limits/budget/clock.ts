import type { Clock } from '../../lib/time.ts';

/** Largest difference between calendar clock and budget clock that is not reported as a jump: slewing stays below it. */
const JUMP_MS = 10_000;

/** Calendar time for budgets. Never goes backwards; setting the machine's clock does not change it. */
export interface BudgetClock {
  /** Whole milliseconds since 1970. */
  nowMs(): number;
}

/** The machine's calendar clock was set while the broker ran, or is behind the time an earlier run persisted. */
export interface ClockJump {
  /** Calendar clock less budget clock, in milliseconds: positive when the calendar clock is ahead. */
  readonly offsetMs: number;
}

/**
 * Makes a clock that reads the calendar once and then advances by the monotonic clock. `notBeforeMs` is the latest
 * persisted time: a calendar clock set back before a restart opens no window a second time. A clock set while the broker
 * runs, and time that the machine slept, take effect at the next start. `onJump` is called once per jump.
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
