import { CommanderError } from 'commander';
import { type Problem, ProblemError } from '../domain/problem.ts';
import { COMMANDS, NOUNS } from './commands.ts';
import { receiveSignals, serveInThread, shouldServeInThread } from './daemon/serve-in-thread.ts';
import { EXIT, type ExitCode } from './framework/exit-codes.ts';
import { helpWidth, PROGRAM } from './framework/help.ts';
import { InterruptedError } from './framework/interruptible.ts';
import { exitCodeOf, type OutputFormat, printProblems } from './framework/output.ts';
import { createParser } from './framework/parser.ts';

const [first, ...rest] = process.argv.slice(2);
// `seneschal help policy explain` is `seneschal policy explain --help`.
const argv = first === 'help' ? [...rest, '--help'] : process.argv.slice(2);
// Usage errors are printed in the requested format, so it is read before the flags are parsed.
const format: OutputFormat = /(?:^|\0)--output[=\0]json(?:\0|$)/.test(argv.join('\0')) ? 'json' : 'text';

const parser = createParser({
  commands: COMMANDS,
  nouns: NOUNS,
  helpWidth: helpWidth(process.stdout.columns, process.env),
  printMessage: (text) => {
    if (format === 'text') process.stderr.write(`${text}\n`);
  },
  onExit: (code) => {
    process.exitCode = code;
  },
});

/** Place of a problem that names none: the command itself. */
function commandLine(): string {
  const line = argv.join(' ');
  const command = COMMANDS.find(({ path }) => line === path || line.startsWith(`${path} `));
  return command ? `${PROGRAM} ${command.path}` : PROGRAM;
}

function reportFailure(error: unknown): ExitCode {
  // Help and version are not errors.
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.yes;
  if (error instanceof InterruptedError) return EXIT.interrupted;
  const problems = error instanceof ProblemError ? error.problems : [internalError(error)];
  printProblems(
    problems.map((problem) => (problem.at === '' ? { ...problem, at: commandLine() } : problem)),
    format,
  );
  return error instanceof ProblemError ? exitCodeOf(error) : EXIT.failed;
}

// An exception outside of any await leaves unknown state: exit.
process.on('uncaughtException', (error) => process.exit(reportFailure(error)));

receiveSignals();
if (shouldServeInThread(argv)) {
  serveInThread(argv, reportFailure);
} else {
  try {
    await parser.parseAsync(argv, { from: 'user' });
  } catch (error) {
    process.exitCode = reportFailure(error);
  }
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
