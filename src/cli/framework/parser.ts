import { CommanderError, Command as Parser, Argument as ParserArgument, Option as ParserOption } from 'commander';
import type { CommandDefinition, Flag } from './command.ts';
import type { ExitCode } from './exit-codes.ts';
import { OUTPUT_FLAG, settingsOf } from './flags.ts';
import { allFlagsOf, argumentTerm, commandHelp, flagTerm, nounHelp, PROGRAM, programHelp } from './help.ts';
import { type UsageContext, usageError } from './usage-error.ts';
import { VERSION } from './version.ts';

/** What the parser is made from. */
export interface ParserOptions {
  readonly commands: readonly CommandDefinition[];
  /** Nouns that have verbs, and what each is about. */
  readonly nouns: Readonly<Record<string, string>>;
  /** Columns of help. */
  readonly helpWidth: number;
  /** Says something to the person. */
  readonly printMessage: (text: string) => void;
  /** Is told how the command ended. */
  readonly onExit: (code: ExitCode) => void;
}

/** Commander's parser for these commands. What is typed wrongly is thrown as a ProblemError, help as CommanderError. */
export function createParser(options: ParserOptions): Parser {
  const { commands, nouns, helpWidth } = options;
  const words = [...new Set(commands.map(({ path }) => path.split(' ')[0] ?? ''))];
  const program = new Parser(PROGRAM).version(VERSION, '-V, --version');
  // Wrong words are told as problems by whoever catches them; help for a missing word is said here.
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

/** Gives a parser its help, and makes what it says of wrong words a ProblemError. */
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
    // Help is asked for before commander looks whether there is such a command.
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
      // `as`: each flag of a setting has a value, and a value is text.
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
    // Where a variable sets it too, `config/` knows which of the three is in force.
    option.default(flag.default);
  }
  return option;
}

/** What was typed, by name. */
function definedValues(
  values: readonly (readonly [name: string, value: unknown])[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function flagValue(parser: Parser, flag: Flag, option: ParserOption): unknown {
  const value: unknown = parser.getOptionValue(option.attributeName());
  // Commander keeps `--no-http` as `http: false`, and a switch that was not given as nothing.
  if (option.negate) return value === false;
  return flag.value === undefined ? value === true : value;
}
