import { CommanderError, Command as Parser, Argument as ParserArgument, Option as ParserOption } from 'commander';
import type { CommandDefinition, Flag } from './command.ts';
import type { ExitCode } from './exit-codes.ts';
import { OUTPUT_FLAG, settingsOf } from './flags.ts';
import { allFlagsOf, argumentTerm, commandHelp, flagTerm, nounHelp, PROGRAM, programHelp } from './help.ts';
import { type UsageContext, usageError } from './usage-error.ts';
import { VERSION } from './version.ts';

/** Options of `createParser`. */
export interface ParserOptions {
  readonly commands: readonly CommandDefinition[];
  /** Nouns that have verbs, with the subject of each. */
  readonly nouns: Readonly<Record<string, string>>;
  /** Width of help in columns. */
  readonly helpWidth: number;
  readonly printMessage: (text: string) => void;
  /** Called with the exit code of the command. */
  readonly onExit: (code: ExitCode) => void;
}

/** Creates commander's parser for these commands. It throws a ProblemError for usage errors, a CommanderError for help. */
export function createParser(options: ParserOptions): Parser {
  const { commands, nouns, helpWidth } = options;
  const words = [...new Set(commands.map(({ path }) => path.split(' ')[0] ?? ''))];
  const program = new Parser(PROGRAM).version(VERSION, '-V, --version');
  // Usage errors are thrown and printed as problems; commander prints help only when a command is missing.
  program.configureOutput({ outputError: () => {}, writeErr: options.printMessage });
  const programContext = { path: '', words, flags: [{ name: 'version', description: '' }] };
  configure(program, programContext, { options, help: () => programHelp(commands, helpWidth) });
  for (const word of words) {
    const standalone = commands.find(({ path }) => path === word);
    if (standalone) {
      addCommand(program.command(word), standalone, options);
      continue;
    }
    const verbs = commands.filter(({ path }) => path.startsWith(`${word} `));
    const about = nouns[word] ?? '';
    const noun = program.command(word);
    const context = { path: word, words: verbs.map(verbOf), flags: [] };
    configure(noun, context, { options, help: () => nounHelp({ name: word, about, verbs }, helpWidth) });
    for (const verb of verbs) addCommand(noun.command(verbOf(verb)), verb, options);
  }
  return program;
}

function verbOf({ path }: CommandDefinition): string {
  return path.split(' ')[1] ?? '';
}

/** Sets the help of a parser, and turns its errors into ProblemErrors. */
function configure(
  parser: Parser,
  context: Omit<UsageContext, 'commands' | 'argumentCount'>,
  { options, help }: { readonly options: ParserOptions; readonly help: () => string },
): void {
  const toUsageError = (error: CommanderError): Error =>
    usageError(error, { ...context, commands: options.commands, argumentCount: parser.args.length });
  const formatHelp = (): string => {
    const [word = '-'] = parser.args;
    if (context.words.length === 0 || word.startsWith('-')) return help();
    // Commander formats help before it checks that the command exists.
    throw toUsageError(new CommanderError(1, 'commander.unknownCommand', `unknown command '${word}'`));
  };
  parser
    .helpCommand(false)
    .configureHelp({ formatHelp })
    .exitOverride((error) => {
      throw toUsageError(error);
    });
}

function addCommand(parser: Parser, command: CommandDefinition, options: ParserOptions): void {
  const flags = allFlagsOf(command);
  configure(
    parser,
    { path: command.path, words: [], flags: flags.filter(({ hidden }) => !hidden), arguments: command.arguments },
    { options, help: () => commandHelp(command, options.helpWidth) },
  );
  for (const argument of command.arguments) {
    const parsed = new ParserArgument(argumentTerm(argument));
    parser.addArgument(argument.choices ? parsed.choices(argument.choices) : parsed);
  }
  const parsedFlags = flags.map((flag) => ({ flag, option: optionOf(flag) }));
  for (const { option } of parsedFlags) parser.addOption(option);
  parser.action(async () => {
    const values = definedValues(parsedFlags.map(({ flag, option }) => [flag.name, flagValue(parser, flag, option)]));
    const code = await command.run({
      args: definedValues(command.arguments.map(({ name }, index) => [name, parser.processedArgs[index]])),
      flags: values,
      output: values[OUTPUT_FLAG.name] === 'json' ? 'json' : 'text',
      // `as`: each flag of a setting has a value, and values are strings.
      settings: () =>
        settingsOf(definedValues(command.settings.map((name) => [name, values[name]])) as Record<string, string>),
      commands: options.commands,
      nouns: options.nouns,
    });
    options.onExit(code);
  });
}

function optionOf(flag: Flag): ParserOption {
  const option = new ParserOption(flagTerm(flag)).makeOptionMandatory(flag.required ?? false);
  if (flag.choices) option.choices(flag.choices);
  if (flag.repeatable) {
    option.argParser((value: string, before: readonly string[]) => [...before, value]).default([]);
  } else if (flag.default !== undefined && flag.variable === undefined) {
    // If a variable can set the value too, `config/` applies the default.
    option.default(flag.default);
  }
  return option;
}

/** The values that were typed, by name. */
function definedValues(
  values: readonly (readonly [name: string, value: unknown])[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function flagValue(parser: Parser, flag: Flag, option: ParserOption): unknown {
  const value: unknown = parser.getOptionValue(option.attributeName());
  // Commander stores `--no-http` as `http: false`, and a switch that was not given as undefined.
  if (option.negate) return value === false;
  return flag.value === undefined ? value === true : value;
}
