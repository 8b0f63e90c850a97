#!/usr/bin/env node
import { CommanderError } from 'commander';
import { ProblemError } from '../domain/problem.ts';
import { COMMANDS, NOUNS } from './command-list.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { helpWidth } from './help.ts';
import { PROGRAM } from './help-parts.ts';
import { internalDefect } from './internal-defect.ts';
import { InterruptedError } from './interruption.ts';
import { exitCodeOf, type OutputFormat, sayProblems } from './output.ts';
import { parserOf } from './parser.ts';

const [first, ...rest] = process.argv.slice(2);
// `seneschal help policy explain` is `seneschal policy explain --help`.
const typed = first === 'help' ? [...rest, '--help'] : process.argv.slice(2);
// What is wrong with the flags is told in the format they ask for, so it is looked for before they are parsed.
const format: OutputFormat = /(?:^|\0)--output[=\0]json(?:\0|$)/.test(typed.join('\0')) ? 'json' : 'text';

const parser = parserOf({
  commands: COMMANDS,
  nouns: NOUNS,
  helpWidth: helpWidth(process.stdout.columns, process.env),
  talk: (text) => {
    if (format === 'text') process.stderr.write(`${text}\n`);
  },
  ended: (code) => {
    process.exitCode = code;
  },
});

/** The place of a problem that names none: the command that met it. */
function commandLine(): string {
  const line = typed.join(' ');
  const command = COMMANDS.find(({ path }) => line === path || line.startsWith(`${path} `));
  return command ? `${PROGRAM} ${command.path}` : PROGRAM;
}

function failed(error: unknown): ExitCode {
  // Help and version are answers.
  if (error instanceof CommanderError && error.exitCode === 0) return EXIT.yes;
  if (error instanceof InterruptedError) return EXIT.interrupted;
  const problems = error instanceof ProblemError ? error.problems : [internalDefect(error)];
  sayProblems(
    problems.map((problem) => (problem.at === '' ? { ...problem, at: commandLine() } : problem)),
    format,
  );
  return error instanceof ProblemError ? exitCodeOf(error) : EXIT.failed;
}

// What is thrown where nobody waits for it leaves a state that nobody knows: the program ends.
process.on('uncaughtException', (error) => process.exit(failed(error)));

try {
  await parser.parseAsync(typed, { from: 'user' });
} catch (error) {
  process.exitCode = failed(error);
}
