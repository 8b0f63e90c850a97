import { formatProblem, type Problem, ProblemError } from '../../domain/problem.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../lib/json/json.ts';
import { escapeControlCharacters, escapeControlCharactersInLines } from '../../lib/text/escape-control-characters.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';

/** `text` for people, `json` for programs: stable, one value on standard output. */
export type OutputFormat = 'text' | 'json';

/**
 * Prints data on standard output: as JSON, or as the text that `asText` makes of it. What came from outside moves no
 * cursor of the terminal that it is read on.
 */
export function printData<T>(data: T, format: OutputFormat, asText: (data: T) => string): void {
  const text = format === 'json' ? JSON.stringify(data, null, 2) : asText(data);
  if (text === '') return;
  process.stdout.once('error', exitOnClosedPipe);
  process.stdout.write(`${escapeControlCharactersInLines(text)}\n`);
}

/** Whoever reads has gone, such as `head`: no defect, and nothing to tell them; but the answer was not given. */
function exitOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.failed);
}

/** Says something to the person, on standard error. */
export function printMessage(text: string): void {
  process.stderr.write(`${escapeControlCharactersInLines(text)}\n`);
}

/** Prints each problem with place, code and hint. */
export function printProblems(problems: readonly Problem[], format: OutputFormat): void {
  if (format === 'json') printMessage(JSON.stringify({ problems }));
  else
    for (const problem of problems)
      printMessage(`${problem.severity === 'warning' ? 'warning: ' : ''}${formatProblem(problem)}`);
}

/** A problem that is the answer to what was asked: it says of itself whether it is an error or a warning. */
export function problemText(problem: Problem): string {
  return `${problem.severity ?? 'error'}: ${formatProblem(problem)}`;
}

/** The exit status of an error that ended a command. The world's failures are 1; wrong input is 2. */
export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof ProblemError && !error.problems.some((problem) => ENVIRONMENT_FAILURES.test(problem.code))
    ? EXIT.usage
    : EXIT.failed;
}

const ENVIRONMENT_FAILURES =
  /^(?:data-directory|storage|daemon|ledger|internal|files)-|^ingress-(?:listen|socket|request)-failed$|^hosts-file-|^registry-server-unanswered$/;

/** The objects of a list within an answer; none where there is no such list. */
export function objectsOf(data: JsonValue, key: string): readonly JsonObject[] {
  const list = isJsonObject(data) ? data[key] : undefined;
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

/** A value of an answer as one cell: text as it is, nothing as nothing, all else as JSON. */
export function cellOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Rows as columns of equal width, two spaces apart; control characters made visible. */
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
export function pluralize(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
