import { ProblemError } from '../domain/problem.ts';
import { parseDurationMs } from '../lib/duration.ts';

/** Milliseconds of a duration that was typed for a flag; zero is none. @throws ProblemError `settings-invalid`. */
export function parseDurationFlagMs(flag: string, text: string, example: string): number {
  const ms = parseDurationMs(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new ProblemError([
    { code: 'settings-invalid', at: flag, message: 'this is no duration', hint: `write one such as ${example}` },
  ]);
}
