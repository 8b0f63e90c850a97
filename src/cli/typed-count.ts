import { ProblemError } from '../domain/problem.ts';

/** A whole number from 1 to `most` that was typed for a flag. @throws ProblemError `settings-invalid`. */
export function typedCount(flag: string, text: string, most: number = MOST): number {
  if (/^[1-9]\d{0,8}$/.test(text) && Number(text) <= most) return Number(text);
  throw new ProblemError([
    {
      code: 'settings-invalid',
      at: flag,
      message: 'this is no number of calls',
      hint: `write a whole number from 1 ${most === MOST ? 'on' : `to ${most}`}`,
    },
  ]);
}

const MOST = 999_999_999;
