import type { CommanderError } from 'commander';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { didYouMean } from '../../lib/text/did-you-mean.ts';
import type { Argument, CommandDefinition, Flag } from './command.ts';
import { argumentTerm, flagTerm, PROGRAM } from './help.ts';

/** Where on the command line the parser stood when it met what it does not know. */
export interface UsageContext {
  /** Path of the command, or noun; empty for the program itself. */
  readonly path: string;
  /** The words that may follow. */
  readonly words: readonly string[];
  readonly flags: readonly Flag[];
  readonly arguments?: readonly Argument[];
  /** How many arguments were given. */
  readonly argumentCount: number;
  readonly commands: readonly CommandDefinition[];
}

/** What commander's error means, as a ProblemError; help and version, which are answers, as they are. */
export function usageError(error: CommanderError, context: UsageContext): Error {
  if (error.exitCode === 0) return error;
  // Commander tells what it met in single quotes, and in no other way.
  const [, token = ''] = /'([^\n]*?)'(?=$|[\s.])/m.exec(error.message) ?? [];
  const problem = DESCRIPTIONS[error.code]?.(token, { ...context, message: error.message });
  const { code, message, ...rest } = problem ?? {
    code: 'usage-invalid-value',
    message: error.message.replace(/^error: /, ''),
  };
  const hint = [rest.hint, ...(rest.isComplete ? [] : [helpHint(context)])].filter(Boolean).join(' ');
  return new ProblemError([{ code, at: rest.at ?? commandLineOf(context), message, hint }]);
}

interface UsageProblem {
  readonly code: Problem['code'];
  /** Default: the command. */
  readonly at?: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** The hint needs no pointer to help behind it. */
  readonly isComplete?: boolean;
}

const DESCRIPTIONS: Readonly<
  Record<string, (token: string, context: UsageContext & { readonly message: string }) => UsageProblem>
> = {
  'commander.help': () => ({ code: 'usage-missing-command', message: 'a command is missing' }),
  'commander.unknownCommand': (token, context) => {
    const hint = commandHint(token, context);
    return { code: 'usage-unknown-command', message: `unknown command \`${token}\``, hint };
  },
  'commander.unknownOption': (token, { flags }) => {
    const flag = token.replace(/=.*$/s, '');
    const suggestion = didYouMean(flag, ['--help', ...flags.map(({ name }) => `--${name}`)]);
    const hint = suggestion && `did you mean \`${suggestion}\`?`;
    return { code: 'usage-unknown-flag', message: `unknown flag \`${flag}\``, hint };
  },
  'commander.missingArgument': (token, context) => {
    const missing = context.arguments?.find(({ name }) => name === token);
    const hint = missing && `${argumentTerm(missing)} is ${missing.description};`;
    return { code: 'usage-missing-argument', message: `the argument \`${token}\` is missing`, hint };
  },
  'commander.excessArguments': (_, context) => ({
    code: 'usage-excess-argument',
    message: `${context.argumentCount} arguments were given, at most ${context.arguments?.length ?? 0} are read`,
  }),
  'commander.missingMandatoryOptionValue': (token, { flags }) => {
    const missing = flags.find((flag) => flagTerm(flag) === token);
    const hint = missing && `${token} says ${missing.description};`;
    return { code: 'usage-missing-flag', message: `the flag \`${token}\` is missing`, hint };
  },
  'commander.optionMissingArgument': (token) => ({
    code: 'usage-missing-value',
    at: token.split(' ')[0] ?? '',
    message: `\`${token}\` has no value`,
  }),
  'commander.invalidArgument': (token, { flags, arguments: places = [], message }) => {
    const flag = flags.find((one) => flagTerm(one) === token);
    const place = places.find(({ name }) => message.includes(`for argument '${name}'`));
    const choices = (flag ?? place)?.choices?.map((choice) => `\`${choice}\``);
    return {
      code: 'usage-invalid-value',
      ...(flag && { at: `--${flag.name}` }),
      message: `the value${place ? ` of ${argumentTerm(place)}` : ''} is not one of those that are allowed`,
      ...(choices && { hint: `write ${choices.join(' or ')}`, isComplete: true }),
    };
  },
};

function commandLineOf({ path }: UsageContext): string {
  return path === '' ? PROGRAM : `${PROGRAM} ${path}`;
}

function helpHint(context: UsageContext): string {
  return `run \`${commandLineOf(context)} --help\``;
}

function commandHint(word: string, { path, words, commands }: UsageContext): string | undefined {
  const suggestion = didYouMean(word, words);
  if (suggestion !== undefined) return `did you mean \`${[PROGRAM, path, suggestion].filter(Boolean).join(' ')}\`?`;
  // Somebody who knows the verb but not its noun.
  const elsewhere = commands.find((command) => command.path.endsWith(` ${word}`));
  return elsewhere && `did you mean \`${PROGRAM} ${elsewhere.path}\`?`;
}
