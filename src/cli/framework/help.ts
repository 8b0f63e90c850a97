import type { Argument, CommandDefinition, Example, Flag } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { OUTPUT_FLAG, SETTING_FLAGS } from './flags.ts';

/** Where the terminal does not say how wide it is. */
const DEFAULT_COLUMNS = 80;
/** Longer lines are hard to read, shorter ones hold no words. */
const MAX_COLUMNS = 100;
const MIN_COLUMNS = 24;
/** Below so many columns for its text a list puts it under the term instead of beside it. */
const MIN_TEXT_COLUMNS = 32;
const INDENT = '  ';

/** How wide help is printed: as wide as the terminal, else as the variable `COLUMNS` says, else 80 columns. */
export function helpWidth(
  terminalColumns: number | undefined,
  env: Readonly<Record<string, string | undefined>>,
): number {
  const columns = terminalColumns ?? (/^[1-9]\d{0,3}$/.test(env.COLUMNS ?? '') ? Number(env.COLUMNS) : DEFAULT_COLUMNS);
  return Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, columns));
}

/** Help of one command: USAGE, what it does, ARGUMENTS, FLAGS, EXIT CODES, EXAMPLES. No colours, so none to turn off. */
export function commandHelp(command: CommandDefinition, width: number): string {
  return joinSections([
    usage(usageOf(command), width),
    wrapParagraphs(command.description, width),
    list('ARGUMENTS', argumentRows(command), width),
    list('FLAGS', flagRows(command), width),
    list('EXIT CODES', exitRows(command.exitCodes), width),
    examples(command.examples, width),
  ]);
}

/** Help of a noun: what it is about, and its verbs. */
export function nounHelp(
  noun: { readonly name: string; readonly about: string; readonly verbs: readonly CommandDefinition[] },
  width: number,
): string {
  return joinSections([
    usage(`${PROGRAM} ${noun.name} <command> [flags]`, width),
    wrapParagraphs(noun.about, width),
    list('COMMANDS', noun.verbs.map(rowOf), width),
    list('FLAGS', [HELP_ROW], width),
  ]);
}

/** Help of the program: every command. */
export function programHelp(commands: readonly CommandDefinition[], width: number): string {
  return joinSections([
    usage(`${PROGRAM} <command> [flags]`, width),
    wrapParagraphs('A tool-governance broker for AI agents: one MCP server in front of all the others.', width),
    list('COMMANDS', commands.map(rowOf), width),
    list('FLAGS', [['--version', 'print the version'], HELP_ROW], width),
    list('EXIT CODES', exitRows(ALL_EXIT_CODES), width),
    wrapParagraphs(`Run \`${PROGRAM} <command> --help\` for its flags and for examples.`, width),
  ]);
}

function rowOf({ path, summary }: CommandDefinition): HelpRow {
  return [path, summary];
}

function joinSections(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function usage(line: string, width: number): string {
  const [first = '', ...more] = wrapWords(line, width - INDENT.length * 2);
  return ['USAGE', INDENT + first, ...more.map((rest) => INDENT + INDENT + rest)].join('\n');
}

function list(heading: string, rows: readonly HelpRow[], width: number): string {
  if (rows.length === 0) return '';
  const termWidth = Math.max(...rows.map(([term]) => term.length));
  const textColumn = INDENT.length + termWidth + INDENT.length;
  // What has short terms, such as exit codes, stays beside them however narrow the terminal is.
  const stacked = width - textColumn < MIN_TEXT_COLUMNS && termWidth > INDENT.length * 2;
  const indent = ' '.repeat(stacked ? INDENT.length * 2 : textColumn);
  const lines = rows.flatMap(([term, what]) => {
    const text = wrapWords(what, width - indent.length).map((line) => indent + line);
    if (stacked) return [INDENT + term, ...text];
    const [first = '', ...more] = text;
    return [INDENT + term.padEnd(termWidth) + INDENT + first.trimStart(), ...more];
  });
  return [heading, ...lines].join('\n');
}

function examples(all: readonly Example[], width: number): string {
  const room = width - INDENT.length;
  const texts = all.map(({ title, line }) =>
    [
      ...wrapWords(title, room - '# '.length).map((words) => `${INDENT}# ${words}`),
      ...wrapCommandLine(line, room).map((part) => INDENT + part),
    ].join('\n'),
  );
  return ['EXAMPLES', texts.join('\n\n')].join('\n');
}

/** A term of a list and what is said of it. */
export type HelpRow = readonly [term: string, what: string];

/** The name that the program is started by. */
export const PROGRAM = 'seneschal';

/** Every flag that a command takes, those for the program's own use too: its own, those of settings, `--output`. */
export function allFlagsOf(command: CommandDefinition): readonly Flag[] {
  const settings = command.settings.map((name) => SETTING_FLAGS[name]);
  return [...command.flags, ...settings, ...(command.ownOutput ? [] : [OUTPUT_FLAG])];
}

/** The line that says how a command is written. */
export function usageOf(command: CommandDefinition): string {
  const required = command.flags.filter(({ required }) => required).map(flagTerm);
  return [PROGRAM, command.path, ...command.arguments.map(argumentTerm), ...required, '[flags]'].join(' ');
}

/** An argument as usage writes it: `<target>`, or `[server]` where it may be left out. */
export function argumentTerm({ name, optional, repeatable }: Argument): string {
  const dots = repeatable ? '...' : '';
  return optional ? `[${name}${dots}]` : `<${name}${dots}>`;
}

/** A flag as it is written: `--as <agent>`. */
export function flagTerm({ name, value }: Flag): string {
  return value === undefined ? `--${name}` : `--${name} <${value}>`;
}

export function argumentRows(command: CommandDefinition): readonly HelpRow[] {
  return command.arguments.map((argument): HelpRow => {
    const notes = argument.choices ? ` (one of ${argument.choices.join(', ')})` : '';
    return [argumentTerm(argument), argument.description + notes];
  });
}

/** The flags that people are told of, `--help` last. */
export function flagRows(command: CommandDefinition): readonly HelpRow[] {
  const shown = allFlagsOf(command).filter(({ hidden }) => !hidden);
  return [...shown.map((flag): HelpRow => [flagTerm(flag), flagText(flag)]), HELP_ROW];
}

export const HELP_ROW: HelpRow = ['--help', 'print this help'];

function flagText(flag: Flag): string {
  const notes = [
    ...(flag.required ? ['required'] : []),
    ...(flag.repeatable ? ['may be repeated'] : []),
    ...(flag.choices && flag.name !== OUTPUT_FLAG.name ? [`one of ${flag.choices.join(', ')}`] : []),
    ...(flag.default === undefined ? [] : [`default: ${flag.default}`]),
    ...(flag.variable === undefined ? [] : [flag.variable]),
  ];
  return notes.length === 0 ? flag.description : `${flag.description} (${notes.join('; ')})`;
}

const COMMON_EXIT_CODES: CommandDefinition['exitCodes'] = {
  yes: 'yes, or done',
  failed: 'it failed: a disk, a socket, another process',
  usage: 'a flag, an argument, a variable or a file is wrong',
  interrupted: 'ended by Ctrl-C',
};

/** The exit codes of the whole program. */
export const ALL_EXIT_CODES: Required<CommandDefinition['exitCodes']> = {
  ...{ failed: '', usage: '', interrupted: '' },
  ...COMMON_EXIT_CODES,
  refused: 'the answer is no',
  verification: 'what was recorded does not add up',
};

/** Exit codes by number, with what they mean. */
export function exitRows(exitCodes: CommandDefinition['exitCodes']): readonly HelpRow[] {
  const meanings = { ...COMMON_EXIT_CODES, ...exitCodes };
  return Object.entries(EXIT).flatMap(([name, code]): readonly HelpRow[] => {
    // `as`: these are the names of that very table.
    const meaning = meanings[name as keyof typeof EXIT];
    return meaning === undefined ? [] : [[String(code), meaning]];
  });
}

/** Words in lines of at most so many columns; a word that is longer stands alone on its line. */
export function wrapWords(text: string, width: number): readonly string[] {
  return fillLines(text.split(/\s+/).filter(Boolean), width);
}

/**
 * A command line in lines of at most so many columns that a shell still reads as one: broken between its words with a
 * backslash, never within quotes, nor between a flag and its value.
 */
export function wrapCommandLine(line: string, width: number): readonly string[] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"\\])+/g) ?? [];
  const units: string[] = [];
  for (const word of words) {
    const last = units.at(-1);
    if (last !== undefined && /^--[\w-]+$/.test(last) && !word.startsWith('-'))
      units[units.length - 1] = `${last} ${word}`;
    else units.push(word);
  }
  const [first = '', ...more] = fillLines(units, width - '  '.length - ' \\'.length);
  const lines = [first, ...more.map((one) => `  ${one}`)];
  return lines.map((one, index) => (index < lines.length - 1 ? `${one} \\` : one));
}

/** Paragraphs, which an empty line divides, in lines of at most so many columns. */
export function wrapParagraphs(text: string, width: number): string {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => wrapWords(paragraph, width).join('\n'))
    .join('\n\n');
}

function fillLines(words: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const lastLine = lines.at(-1);
    if (lastLine === undefined || lastLine.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${lastLine} ${word}`;
  }
  return lines;
}
