import type { Problem } from '../domain/problem.ts';

/** What a person is told of an error that nobody foresaw: what it says, without the stack, and what to do. */
export function internalError(error: unknown): Problem {
  return {
    code: 'internal-defect',
    at: '',
    message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    hint: 'this is a defect of seneschal itself; report it with the command that you typed and its version',
  };
}
