import { printMessage } from './output.ts';

/** What takes longer than this is told of, so that nobody takes it for a hang. */
const ANNOUNCE_AFTER_MS = 1_000;

/** Says on standard error, in plain lines, what is being done once that has taken a second. */
export interface Progress {
  /** Begins the next step; the one before it is done. */
  step(description: string): void;
  /** Says how far a step is that never lets the timer run, at most once a second. */
  tick(description: () => string): void;
  /** Everything is done. */
  end(): void;
}

export function progress(): Progress {
  let timer: NodeJS.Timeout | undefined;
  let announcedMs = performance.now();
  return {
    step: (description) => {
      clearTimeout(timer);
      timer = setTimeout(() => printMessage(`${description} …`), ANNOUNCE_AFTER_MS);
    },
    tick: (description) => {
      const nowMs = performance.now();
      if (nowMs - announcedMs < ANNOUNCE_AFTER_MS) return;
      announcedMs = nowMs;
      printMessage(`${description()} …`);
    },
    end: () => clearTimeout(timer),
  };
}
