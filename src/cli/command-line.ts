import { CommanderError } from 'commander';
import { type Problem, ProblemError } from '../domain/problem.ts';
import { COMMANDS, NOUNS } from './commands.ts';
import { EXIT, type ExitCode } from './framework/exit-codes.ts';
import { helpWidth, PROGRAM } from './framework/help.ts';
import { InterruptedError } from './framework/interruptible.ts';
import { exitCodeOf, type OutputFormat, printProblems } from './framework/output.ts';
import { createParser } from './framework/parser.ts';

/** Runs one command line, prints to the standard streams, and returns its exit code. Never rejects. */
export async function runCommandLine(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.yes;
  const parser = createParser({
    commands: COMMANDS,
    nouns: NOUNS,
    helpWidth: helpWidth(process.stdout.columns, process.env),
    printMessage: (text) => {
      if (outputFormat(argv) === 'text') process.stderr.write(`${text}\n`);
    },
    onExit: (code) => {
      exitCode = code;
    },
  });
  try {
    await parser.parseAsync(parsedWords(argv), { from: 'user' });
  } catch (error) {
    return reportFailure(error, argv);
  }
  return exitCode;
}

/** Prints the problems of a command line that failed, and returns its exit code. */
export function reportFailure(error: unknown, argv: readonly string[]): ExitCode {
  // Help and version are not errors.
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.yes;
  if (error instanceof InterruptedError) return EXIT.interrupted;
  const problems = error instanceof ProblemError ? error.problems : [internalError(error)];
  printProblems(
    problems.map((problem) => (problem.at === '' ? { ...problem, at: commandName(argv) } : problem)),
    outputFormat(argv),
  );
  return error instanceof ProblemError ? exitCodeOf(error) : EXIT.failed;
}

/** Words to parse: `seneschal help policy explain` is `seneschal policy explain --help`. */
function parsedWords(argv: readonly string[]): readonly string[] {
  return argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
}

/** Format of usage errors. They are printed in the requested format, so it is read before the flags are parsed. */
function outputFormat(argv: readonly string[]): OutputFormat {
  return /(?:^|\0)--output[=\0]json(?:\0|$)/.test(argv.join('\0')) ? 'json' : 'text';
}

/** Place of a problem that names none: the command itself. */
function commandName(argv: readonly string[]): string {
  const line = parsedWords(argv).join(' ');
  const command = COMMANDS.find(({ path }) => line === path || line.startsWith(`${path} `));
  return command ? `${PROGRAM} ${command.path}` : PROGRAM;
}

/** Problem for an unexpected error: its message without the stack. */
function internalError(error: unknown): Problem {
  return {
    code: 'internal-defect',
    at: '',
    message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    hint: 'this is a defect of seneschal; report it with the command that you ran and the output of `seneschal --version`',
  };
}
