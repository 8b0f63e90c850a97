import { ProblemError } from '../domain/problem.ts';

/** A whole number from 1 to `most` that was typed for a flag. @throws ProblemError `settings-invalid`. */
export function parseCountFlag(flag: string, text: string, max: number = MAX_COUNT): number {
  if (/^[1-9]\d{0,8}$/.test(text) && Number(text) <= max) return Number(text);
  throw new ProblemError([
    {
      code: 'settings-invalid',
      at: flag,
      message: 'this is no number of calls',
      hint: `write a whole number from 1 ${max === MAX_COUNT ? 'on' : `to ${max}`}`,
    },
  ]);
}

const MAX_COUNT = 999_999_999;
