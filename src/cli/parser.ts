import { CommanderError, Command as Parser, Argument as ParserArgument, Option as ParserOption } from 'commander';
import type { CommandDeclaration, Flag } from './declaration.ts';
import type { ExitCode } from './exit-codes.ts';
import { commandHelp, nounHelp, programHelp } from './help.ts';
import { allFlagsOf, argumentTerm, flagTerm, PROGRAM } from './help-parts.ts';
import { OUTPUT_FLAG, settingsOf } from './settings-flags.ts';
import { type UsageContext, usageError } from './usage-error.ts';
import { VERSION } from './version.ts';

/** What the parser is made from. */
export interface ParserParts {
  readonly commands: readonly CommandDeclaration[];
  /** Nouns that have verbs, and what each is about. */
  readonly nouns: Readonly<Record<string, string>>;
  /** Columns of help. */
  readonly helpWidth: number;
  /** Says something to the person. */
  readonly talk: (text: string) => void;
  /** Is told how the command ended. */
  readonly ended: (code: ExitCode) => void;
}

/** Commander's parser for these commands. What is typed wrongly is thrown as a ProblemError, help as CommanderError. */
export function parserOf(parts: ParserParts): Parser {
  const { commands, nouns, helpWidth } = parts;
  const words = [...new Set(commands.map(({ path }) => path.split(' ')[0] ?? ''))];
  const program = new Parser(PROGRAM).version(VERSION, '-V, --version');
  // Wrong words are told as problems by whoever catches them; help for a missing word is said here.
  program.configureOutput({ outputError: () => {}, writeErr: parts.talk });
  const top = { path: '', words, flags: [{ name: 'version', what: '' }] };
  dress(program, top, { parts, help: () => programHelp(commands, helpWidth) });
  for (const word of words) {
    const lonely = commands.find(({ path }) => path === word);
    if (lonely) {
      addCommand(program.command(word), lonely, parts);
      continue;
    }
    const verbs = commands.filter(({ path }) => path.startsWith(`${word} `));
    const about = nouns[word] ?? '';
    const noun = program.command(word);
    const context = { path: word, words: verbs.map(verbOf), flags: [] };
    dress(noun, context, { parts, help: () => nounHelp({ name: word, about, verbs }, helpWidth) });
    for (const verb of verbs) addCommand(noun.command(verbOf(verb)), verb, parts);
  }
  return program;
}

function verbOf({ path }: CommandDeclaration): string {
  return path.split(' ')[1] ?? '';
}

/** Gives a parser its help, and makes what it says of wrong words a ProblemError. */
function dress(
  parser: Parser,
  context: Omit<UsageContext, 'commands' | 'given'>,
  { parts, help }: { readonly parts: ParserParts; readonly help: () => string },
): void {
  const wrong = (error: CommanderError): Error =>
    usageError(error, { ...context, commands: parts.commands, given: parser.args.length });
  const formatHelp = (): string => {
    const [word = '-'] = parser.args;
    if (context.words.length === 0 || word.startsWith('-')) return help();
    // Help is asked for before commander looks whether there is such a command.
    throw wrong(new CommanderError(1, 'commander.unknownCommand', `unknown command '${word}'`));
  };
  parser
    .helpCommand(false)
    .configureHelp({ formatHelp })
    .exitOverride((error) => {
      throw wrong(error);
    });
}

function addCommand(parser: Parser, command: CommandDeclaration, parts: ParserParts): void {
  const flags = allFlagsOf(command);
  dress(
    parser,
    { path: command.path, words: [], flags: flags.filter(({ hidden }) => !hidden), arguments: command.arguments },
    { parts, help: () => commandHelp(command, parts.helpWidth) },
  );
  for (const argument of command.arguments) {
    const parsed = new ParserArgument(argumentTerm(argument));
    parser.addArgument(argument.choices ? parsed.choices(argument.choices) : parsed);
  }
  const options = flags.map((flag) => ({ flag, option: optionOf(flag) }));
  for (const { option } of options) parser.addOption(option);
  parser.action(async () => {
    const values = named(options.map(({ flag, option }) => [flag.name, flagValue(parser, flag, option)]));
    const code = await command.run({
      args: named(command.arguments.map(({ name }, index) => [name, parser.processedArgs[index]])),
      flags: values,
      output: values[OUTPUT_FLAG.name] === 'json' ? 'json' : 'text',
      // `as`: each flag of a setting has a value, and a value is text.
      settings: () => settingsOf(named(command.settings.map((name) => [name, values[name]])) as Record<string, string>),
      commands: parts.commands,
      nouns: parts.nouns,
    });
    parts.ended(code);
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
function named(values: readonly (readonly [name: string, value: unknown])[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

function flagValue(parser: Parser, flag: Flag, option: ParserOption): unknown {
  const value: unknown = parser.getOptionValue(option.attributeName());
  // Commander keeps `--no-http` as `http: false`, and a switch that was not given as nothing.
  if (option.negate) return value === false;
  return flag.value === undefined ? value === true : value;
}
