import type { CommanderError } from 'commander';
import { type Problem, ProblemError } from '../../domain/problem.ts';
import { didYouMean } from '../../lib/text/did-you-mean.ts';
import type { Argument, CommandDefinition, Flag } from './command.ts';
import { argumentTerm, flagTerm, PROGRAM } from './help.ts';

/** Position of the parser on the command line when it found an error. */
export interface UsageContext {
  /** Path of the command, or noun; empty for the program itself. */
  readonly path: string;
  /** Words that may follow. */
  readonly words: readonly string[];
  readonly flags: readonly Flag[];
  readonly arguments?: readonly Argument[];
  /** Number of arguments that were given. */
  readonly argumentCount: number;
  readonly commands: readonly CommandDefinition[];
}

/** Converts an error of commander into a ProblemError. Help and version are not errors and stay as they are. */
export function usageError(error: CommanderError, context: UsageContext): Error {
  if (error.exitCode === 0) return error;
  // Commander gives the token only in its message, in single quotes.
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
  /** True if the hint does not need a pointer to `--help` after it. */
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
    message: `too many arguments: ${context.argumentCount} were given, at most ${context.arguments?.length ?? 0} are allowed`,
  }),
  'commander.missingMandatoryOptionValue': (token, { flags }) => {
    const missing = flags.find((flag) => flagTerm(flag) === token);
    const hint = missing && `${token} is ${missing.description};`;
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
      message: `the value${place ? ` of ${argumentTerm(place)}` : ''} is not one of the allowed values`,
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
  // A verb without its noun.
  const elsewhere = commands.find((command) => command.path.endsWith(` ${word}`));
  return elsewhere && `did you mean \`${PROGRAM} ${elsewhere.path}\`?`;
}
