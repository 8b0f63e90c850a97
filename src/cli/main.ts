import { CommanderError } from 'commander';
import { type Problem, ProblemError } from '../domain/problem.ts';
import { COMMANDS, NOUNS } from './commands.ts';
import { receiveSignals, serveInThread, shouldServeInThread } from './daemon/serve-thread.ts';
import { EXIT, type ExitCode } from './framework/exit-codes.ts';
import { helpWidth, PROGRAM } from './framework/help.ts';
import { InterruptedError } from './framework/interruptible.ts';
import { exitCodeOf, type OutputFormat, printProblems } from './framework/output.ts';
import { createParser } from './framework/parser.ts';

const [first, ...rest] = process.argv.slice(2);
// `seneschal help policy explain` is `seneschal policy explain --help`.
const argv = first === 'help' ? [...rest, '--help'] : process.argv.slice(2);
// What is wrong with the flags is told in the format they ask for, so it is looked for before they are parsed.
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

/** The place of a problem that names none: the command that met it. */
function commandLine(): string {
  const line = argv.join(' ');
  const command = COMMANDS.find(({ path }) => line === path || line.startsWith(`${path} `));
  return command ? `${PROGRAM} ${command.path}` : PROGRAM;
}

function reportFailure(error: unknown): ExitCode {
  // Help and version are answers.
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.yes;
  if (error instanceof InterruptedError) return EXIT.interrupted;
  const problems = error instanceof ProblemError ? error.problems : [internalError(error)];
  printProblems(
    problems.map((problem) => (problem.at === '' ? { ...problem, at: commandLine() } : problem)),
    format,
  );
  return error instanceof ProblemError ? exitCodeOf(error) : EXIT.failed;
}

// What is thrown where nobody waits for it leaves a state that nobody knows: the program ends.
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

/** What a person is told of an error that nobody foresaw: what it says, without the stack, and what to do. */
export function internalError(error: unknown): Problem {
  return {
    code: 'internal-defect',
    at: '',
    message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    hint: 'this is a defect of seneschal itself; report it with the command that you typed and its version',
  };
}
