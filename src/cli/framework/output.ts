import { formatProblem, type Problem, ProblemError } from '../../domain/problem.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { escapeControlCharacters, escapeControlCharactersInLines } from '../../lib/text/escape-control-characters.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

/** Format of standard output: `text` for people; `json` for programs, one value and stable. */
export type OutputFormat = 'text' | 'json';

/**
 * Prints data on standard output, as JSON or as the text of `asText`. Control characters are escaped, because data from
 * tool servers must not control the terminal.
 */
export function printData<T>(data: T, format: OutputFormat, asText: (data: T) => string): void {
  const text = format === 'json' ? JSON.stringify(data, null, 2) : asText(data);
  if (text === '') return;
  process.stdout.once('error', exitOnClosedPipe);
  process.stdout.write(`${escapeControlCharactersInLines(text)}\n`);
}

/** The reader, such as `head`, has closed the pipe: no error message, but the output is incomplete. */
function exitOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.failed);
}

/** Prints a message on standard error. */
export function printMessage(text: string): void {
  process.stderr.write(`${escapeControlCharactersInLines(text)}\n`);
}

/** Prints each problem with its place, code and hint. */
export function printProblems(problems: readonly Problem[], format: OutputFormat): void {
  if (format === 'json') printMessage(JSON.stringify({ problems }));
  else
    for (const problem of problems)
      printMessage(`${problem.severity === 'warning' ? 'warning: ' : ''}${formatProblem(problem)}`);
}

/** A problem as a line of output, with its severity. */
export function problemText(problem: Problem): string {
  return `${problem.severity ?? 'error'}: ${formatProblem(problem)}`;
}

/** Exit code of an error that ended a command: 1 for a failure of the environment, 2 for invalid input. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof ProblemError && !error.problems.some((problem) => ENVIRONMENT_FAILURES.test(problem.code))
    ? EXIT.usage
    : EXIT.failed;
}

const ENVIRONMENT_FAILURES =
  /^(?:data-directory|storage|daemon|ledger|internal|files)-|^ingress-(?:listen|socket|request)-failed$|^hosts-file-|^registry-server-unanswered$/;

/** Objects of a list in a reply; empty if there is no such list. */
export function objectsOf(data: JsonValue, key: string): readonly JsonObject[] {
  const list = isJsonObject(data) ? data[key] : undefined;
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

/** A value as the text of a cell: a string as it is, a missing value as nothing, anything else as JSON. */
export function cellOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Rows as columns of equal width, two spaces apart, with control characters escaped. */
export function table(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map(escapeControlCharacters));
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

/** A number with its noun, such as `1 tool` and `2 tools`. */
export function pluralize(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
