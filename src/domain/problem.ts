import type { ErrorCode } from './error-codes.ts';

/** Something wrong with a file, a flag or the world, as a person is told of it. */
export interface Problem {
  readonly code: ErrorCode;
  /** `file`, `file:line` or `file:line:column` (both from 1); the name of a flag or, as `<server>`, of an argument; empty where there is no place. */
  readonly at: string;
  /** Lower case, the input in backticks, no full stop, no secret. */
  readonly message: string;
  /** What to type or change next. */
  readonly hint: string;
  /** A warning is told and does not refuse. Default: error. */
  readonly severity?: 'error' | 'warning';
}

/** A defect of the input or the world that ends what was asked. Carries every problem found, not only the first. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problems: readonly Problem[];
  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
    this.problems = problems;
  }
  /** Code of the first problem. */
  get code(): ErrorCode | undefined {
    return this.problems[0]?.code;
  }
  /** Place of the first problem. */
  get at(): string | undefined {
    return this.problems[0]?.at;
  }
}

/** What was read; where it cannot be, its problems are added to `problems`, so that one mistake does not hide the next. */
export function readOrCollect<T>(problems: Problem[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

/** One problem as two lines: where, what and code; then the hint. */
export function formatProblem(problem: Problem): string {
  const location = problem.at === '' ? '' : `${problem.at}: `;
  return `${location}${problem.message}  (${problem.code})\nhint: ${problem.hint}`;
}
