import { ProblemError } from '../domain/problem.ts';

/** A whole number of at least 1 that was typed for a flag. @throws ProblemError `settings-invalid`. */
export function typedCount(flag: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new ProblemError([
    {
      code: 'settings-invalid',
      at: flag,
      message: 'this is no number of calls',
      hint: 'write a whole number from 1 on',
    },
  ]);
}
