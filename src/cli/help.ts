import type { CommandDefinition, Example } from './declaration.ts';
import {
  ALL_EXIT_CODES,
  argumentRows,
  exitRows,
  flagRows,
  HELP_ROW,
  type HelpRow,
  PROGRAM,
  usageOf,
} from './help-parts.ts';
import { wrapCommandLine, wrapParagraphs, wrapWords } from './wrap.ts';

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
