import { formatProblem, type Problem, ProblemError } from '../domain/problem.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

/** `text` for people, `json` for programs: stable, one value on standard output. */
export type OutputFormat = 'text' | 'json';

/** Prints data on standard output: as JSON, or as the text that `asText` makes of it. */
export function printData<T>(data: T, format: OutputFormat, asText: (data: T) => string): void {
  const text = format === 'json' ? JSON.stringify(data, null, 2) : asText(data);
  if (text !== '') process.stdout.write(`${text}\n`);
}

/** Says something to the person, on standard error. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Prints each problem with place, code and hint. */
export function sayProblems(problems: readonly Problem[], format: OutputFormat): void {
  if (format === 'json') process.stderr.write(`${JSON.stringify({ problems })}\n`);
  else
    for (const problem of problems)
      say(`${problem.severity === 'warning' ? 'warning: ' : ''}${formatProblem(problem)}`);
}

/** The exit status of an error that ended a command. The world's failures are 1; wrong input is 2. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof ProblemError && !error.problems.some((problem) => WORLD.test(problem.code))
    ? EXIT.usage
    : EXIT.failed;
}

const WORLD = /^(data-directory|storage|daemon|ledger)-/;

/** Rows as columns of equal width, two spaces apart; control characters made visible. */
export function table(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map(visible));
  const widths: number[] = [];
  for (const row of clean) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return clean
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Text from outside with control characters, line ends and bidirectional marks shown as escapes (CWE-117, CWE-150). */
export function visible(text: string): string {
  return text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
