import type { CommanderError } from 'commander';
import { type Problem, ProblemError } from '../domain/problem.ts';
import { nearestWord } from '../lib/nearest-word.ts';
import type { Argument, CommandDeclaration, Flag } from './declaration.ts';
import { argumentTerm, flagTerm, PROGRAM } from './help-parts.ts';

/** Where on the command line the parser stood when it met what it does not know. */
export interface UsageContext {
  /** Path of the command, or noun; empty for the program itself. */
  readonly path: string;
  /** The words that may follow. */
  readonly words: readonly string[];
  readonly flags: readonly Flag[];
  readonly arguments?: readonly Argument[];
  /** How many arguments were given. */
  readonly given: number;
  readonly commands: readonly CommandDeclaration[];
}

/** What commander's error means, as a ProblemError; help and version, which are answers, as they are. */
export function usageError(error: CommanderError, context: UsageContext): Error {
  if (error.exitCode === 0) return error;
  // Commander tells what it met in single quotes, and in no other way.
  const [, said = ''] = /'([^\n]*?)'(?=$|[\s.])/m.exec(error.message) ?? [];
  const described = DESCRIBE[error.code]?.(said, { ...context, message: error.message });
  const { code, message, ...rest } = described ?? {
    code: 'usage-invalid-value',
    message: error.message.replace(/^error: /, ''),
  };
  const hint = [rest.hint, ...(rest.isEnough ? [] : [helpHint(context)])].filter(Boolean).join(' ');
  return new ProblemError([{ code, at: rest.at ?? lineOf(context), message, hint }]);
}

interface Described {
  readonly code: Problem['code'];
  /** Default: the command. */
  readonly at?: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** The hint needs no pointer to help behind it. */
  readonly isEnough?: boolean;
}

const DESCRIBE: Readonly<
  Record<string, (said: string, context: UsageContext & { readonly message: string }) => Described>
> = {
  'commander.help': () => ({ code: 'usage-missing-command', message: 'a command is missing' }),
  'commander.unknownCommand': (said, context) => {
    const hint = commandHint(said, context);
    return { code: 'usage-unknown-command', message: `unknown command \`${said}\``, hint };
  },
  'commander.unknownOption': (said, { flags }) => {
    const flag = said.replace(/=.*$/s, '');
    const meant = nearestWord(flag, ['--help', ...flags.map(({ name }) => `--${name}`)]);
    const hint = meant && `did you mean \`${meant}\`?`;
    return { code: 'usage-unknown-flag', message: `unknown flag \`${flag}\``, hint };
  },
  'commander.missingArgument': (said, context) => {
    const missing = context.arguments?.find(({ name }) => name === said);
    const hint = missing && `${argumentTerm(missing)} is ${missing.what};`;
    return { code: 'usage-missing-argument', message: `the argument \`${said}\` is missing`, hint };
  },
  'commander.excessArguments': (_, context) => ({
    code: 'usage-excess-argument',
    message: `${context.given} arguments were given, at most ${context.arguments?.length ?? 0} are read`,
  }),
  'commander.missingMandatoryOptionValue': (said, { flags }) => {
    const missing = flags.find((flag) => flagTerm(flag) === said);
    const hint = missing && `${said} says ${missing.what};`;
    return { code: 'usage-missing-flag', message: `the flag \`${said}\` is missing`, hint };
  },
  'commander.optionMissingArgument': (said) => ({
    code: 'usage-missing-value',
    at: said.split(' ')[0] ?? '',
    message: `\`${said}\` has no value`,
  }),
  'commander.invalidArgument': (said, { flags, arguments: places = [], message }) => {
    const flag = flags.find((one) => flagTerm(one) === said);
    const place = places.find(({ name }) => message.includes(`for argument '${name}'`));
    const choices = (flag ?? place)?.choices?.map((choice) => `\`${choice}\``);
    return {
      code: 'usage-invalid-value',
      ...(flag && { at: `--${flag.name}` }),
      message: `the value${place ? ` of ${argumentTerm(place)}` : ''} is not one of those that are allowed`,
      ...(choices && { hint: `write ${choices.join(' or ')}`, isEnough: true }),
    };
  },
};

function lineOf({ path }: UsageContext): string {
  return path === '' ? PROGRAM : `${PROGRAM} ${path}`;
}

function helpHint(context: UsageContext): string {
  return `run \`${lineOf(context)} --help\``;
}

function commandHint(word: string, { path, words, commands }: UsageContext): string | undefined {
  const meant = nearestWord(word, words);
  if (meant !== undefined) return `did you mean \`${[PROGRAM, path, meant].filter(Boolean).join(' ')}\`?`;
  // Somebody who knows the verb but not its noun.
  const elsewhere = commands.find((command) => command.path.endsWith(` ${word}`));
  return elsewhere && `did you mean \`${PROGRAM} ${elsewhere.path}\`?`;
}
