import type { ErrorCode } from './error-codes.ts';

/** Problem with a file, a flag or the environment, reported to a person. */
export interface Problem {
  readonly code: ErrorCode;
  /** `file`, `file:line` or `file:line:column` (from 1); the name of a flag or, as `<server>`, of an argument; empty if there is no location. */
  readonly at: string;
  /** One clause in lower case, the input in backticks, without a full stop and without secrets. */
  readonly message: string;
  /** Next step for the person: a command, or a change. */
  readonly hint: string;
  /** A warning refuses nothing. Default: `error`. */
  readonly severity?: 'error' | 'warning';
}

/** Ends an operation because of its input or environment. Carries every problem found, not only the first. */
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

  /** Location of the first problem. */
  get at(): string | undefined {
    return this.problems[0]?.at;
  }
}

/** Returns what `read` returns. A `ProblemError` is added to `problems` instead, so that one mistake does not hide the next. */
export function readOrCollect<T>(problems: Problem[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

/** Formats a problem as two lines: location, message and code; then the hint. */
export function formatProblem(problem: Problem): string {
  const location = problem.at === '' ? '' : `${problem.at}: `;
  return `${location}${problem.message}  (${problem.code})\nhint: ${problem.hint}`;
}
