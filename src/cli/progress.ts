import { say } from './output.ts';

/** What takes longer than this is told of, so that nobody takes it for a hang. */
const TOLD_AFTER_MS = 1_000;

/** Says on standard error, in plain lines, what is being done once that has taken a second. */
export interface Progress {
  /** Begins the next step; the one before it is done. */
  step(what: string): void;
  /** Says how far a step is that never lets the timer run, at most once a second. */
  tick(what: () => string): void;
  /** Everything is done. */
  end(): void;
}

export function progress(): Progress {
  let timer: NodeJS.Timeout | undefined;
  let saidMs = performance.now();
  return {
    step: (what) => {
      clearTimeout(timer);
      timer = setTimeout(() => say(`${what} …`), TOLD_AFTER_MS);
    },
    tick: (what) => {
      const nowMs = performance.now();
      if (nowMs - saidMs < TOLD_AFTER_MS) return;
      saidMs = nowMs;
      say(`${what()} …`);
    },
    end: () => clearTimeout(timer),
  };
}
