import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Log } from '../telemetry/log.ts';

const EVENT_LOOP_SAMPLE_MS = 10_000;
const EVENT_LOOP_RESOLUTION_MS = 50;
/** Everybody waits while the loop is held up; so long a wait has a cause that is worth finding. */
const STALL_MS = 250;

/** Tells in the log how long the event loop was held up, where that was long. @returns the way to stop. */
export function watchEventLoop(log: Log): () => void {
  const delay = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS });
  delay.enable();
  const timer = setInterval(() => {
    // Nanoseconds, and the wait that was meant is in them.
    const longestMs = Math.round(delay.max / 1e6) - EVENT_LOOP_RESOLUTION_MS;
    delay.reset();
    if (longestMs >= STALL_MS) log.warn('loop.stalled', { longestMs });
  }, EVENT_LOOP_SAMPLE_MS).unref();
  return () => {
    clearInterval(timer);
    delay.disable();
  };
}
