import { printMessage } from './output.ts';

/** A step that takes longer is printed, so that it is not mistaken for a hang. */
const ANNOUNCE_AFTER_MS = 1_000;

/** Prints the current step on standard error if it takes longer than a second. */
export interface Progress {
  /** Begins the next step and ends the previous one. */
  step(description: string): void;
  /** Prints the progress of a step that blocks the event loop, at most once a second. */
  tick(description: () => string): void;
  /** Ends the last step. */
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
