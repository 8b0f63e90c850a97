import { Help } from 'commander';
import type { Argument, CommandDefinition, Example, Flag } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { OUTPUT_FLAG, SETTING_FLAGS } from './flags.ts';

/** Width of help if neither the terminal nor `COLUMNS` gives one. */
const DEFAULT_COLUMNS = 80;
/** Longer lines are hard to read, and shorter ones cannot hold the words. */
const MAX_COLUMNS = 100;
const MIN_COLUMNS = 24;
/** With fewer columns than this for the text, a list puts the text under its term instead of beside it. */
const MIN_TEXT_COLUMNS = 24;
const INDENT = '  ';

/** Width of help in columns: that of the terminal, else the variable `COLUMNS`, else 80; at least 24, at most 100. */
export function helpWidth(
  terminalColumns: number | undefined,
  env: Readonly<Record<string, string | undefined>>,
): number {
  const columns = terminalColumns ?? (/^[1-9]\d{0,3}$/.test(env.COLUMNS ?? '') ? Number(env.COLUMNS) : DEFAULT_COLUMNS);
  return Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, columns));
}

/** Commander's layout of help, in narrow terminals too. */
class HelpLayout extends Help {
  override minWidthToWrap = 1;

  constructor(width: number) {
    super();
    this.helpWidth = width;
  }

  override formatItem(term: string, termWidth: number, description: string, helper: Help): string {
    const width = this.helpWidth ?? DEFAULT_COLUMNS;
    if (width - termWidth - INDENT.length * 2 >= MIN_TEXT_COLUMNS) {
      return super.formatItem(term, termWidth, description, helper);
    }
    return `${INDENT}${term}\n${this.indented(description, INDENT + INDENT)}`;
  }

  /** A heading and its rows; empty without rows. */
  list(heading: string, rows: readonly HelpRow[]): string {
    const termWidth = Math.max(...rows.map(([term]) => term.length));
    const items = rows.map(([term, text]) => this.formatItem(term, termWidth, text, this));
    return this.formatItemList(heading, items, this).join('\n').trimEnd();
  }

  indented(text: string, indent: string): string {
    const width = (this.helpWidth ?? DEFAULT_COLUMNS) - indent.length;
    return this.boxWrap(text, width).replace(/^/gm, indent);
  }

  usage(line: string): string {
    return `USAGE\n${this.indented(line, INDENT)}`;
  }

  paragraphs(text: string): string {
    return this.boxWrap(paragraphsOf(text).join('\n\n'), this.helpWidth ?? DEFAULT_COLUMNS);
  }

  /** Each example below its title. The line stays whole, so that it can be copied. */
  examples(examples: readonly Example[]): string {
    const texts = examples.map(({ title, line }) => `${this.indented(title, `${INDENT}# `)}\n${INDENT}${line}`);
    return `EXAMPLES\n${texts.join('\n\n')}`;
  }
}

/** Paragraphs of a text, each on one line. An empty line separates them; any other line end is a space. */
export function paragraphsOf(text: string): readonly string[] {
  return text.split(/\n\s*\n/).map((paragraph) => paragraph.trim().replace(/\s+/g, ' '));
}

/** Help of one command: USAGE, description, ARGUMENTS, FLAGS, EXIT CODES, EXAMPLES. It has no colours. */
export function commandHelp(command: CommandDefinition, width: number): string {
  const help = new HelpLayout(width);
  return joinSections([
    help.usage(usageOf(command)),
    help.paragraphs(command.description),
    help.list('ARGUMENTS', argumentRows(command)),
    help.list('FLAGS', flagRows(command)),
    help.list('EXIT CODES', exitRows(command.exitCodes)),
    help.examples(command.examples),
  ]);
}

/** Help of a noun: its subject and its verbs. */
export function nounHelp(
  noun: { readonly name: string; readonly about: string; readonly verbs: readonly CommandDefinition[] },
  width: number,
): string {
  const help = new HelpLayout(width);
  return joinSections([
    help.usage(`${PROGRAM} ${noun.name} <command> [flags]`),
    help.paragraphs(noun.about),
    help.list('COMMANDS', noun.verbs.map(rowOf)),
    help.list('FLAGS', [HELP_ROW]),
  ]);
}

/** Help of the program: every command. */
export function programHelp(commands: readonly CommandDefinition[], width: number): string {
  const help = new HelpLayout(width);
  return joinSections([
    help.usage(`${PROGRAM} <command> [flags]`),
    help.paragraphs('A tool-governance broker for AI agents: one MCP server in front of all the others.'),
    help.list('COMMANDS', commands.map(rowOf)),
    help.list('FLAGS', [['--version', 'print the version'], HELP_ROW]),
    help.list('EXIT CODES', exitRows(ALL_EXIT_CODES)),
    help.paragraphs(`Run \`${PROGRAM} <command> --help\` for its flags and for examples.`),
  ]);
}

function rowOf({ path, summary }: CommandDefinition): HelpRow {
  return [path, summary];
}

function joinSections(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** A term of a list and its description. */
export type HelpRow = readonly [term: string, description: string];

/** Name of the program on the command line. */
export const PROGRAM = 'seneschal';

/** All flags of a command, including hidden ones: its own, those of its settings, and `--output`. */
export function allFlagsOf(command: CommandDefinition): readonly Flag[] {
  const settings = command.settings.map((name) => SETTING_FLAGS[name]);
  return [...command.flags, ...settings, ...(command.ownOutput ? [] : [OUTPUT_FLAG])];
}

/** The usage line of a command. */
export function usageOf(command: CommandDefinition): string {
  const required = command.flags.filter(({ required }) => required).map(flagTerm);
  return [PROGRAM, command.path, ...command.arguments.map(argumentTerm), ...required, '[flags]'].join(' ');
}

/** An argument in a usage line: `<target>`, or `[server]` if it is optional. */
export function argumentTerm({ name, optional, repeatable }: Argument): string {
  const dots = repeatable ? '...' : '';
  return optional ? `[${name}${dots}]` : `<${name}${dots}>`;
}

/** A flag with its value: `--as <agent>`. */
export function flagTerm({ name, value }: Flag): string {
  return value === undefined ? `--${name}` : `--${name} <${value}>`;
}

export function argumentRows(command: CommandDefinition): readonly HelpRow[] {
  return command.arguments.map((argument): HelpRow => {
    const notes = argument.choices ? ` (one of ${argument.choices.join(', ')})` : '';
    return [argumentTerm(argument), argument.description + notes];
  });
}

/** The visible flags, `--help` last. */
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

const COMMON_EXIT_CODES = {
  yes: 'success',
  failed: 'a disk, a socket or another process failed',
  usage: 'a flag, an argument, a variable or a file is invalid',
  interrupted: 'interrupted by Ctrl-C',
};

/** The exit codes of the whole program. */
export const ALL_EXIT_CODES: Required<CommandDefinition['exitCodes']> = {
  ...COMMON_EXIT_CODES,
  yes: 'success, or the answer is yes',
  refused: 'the answer is no: a policy test failed, access is denied, a tool drifted',
  verification: 'verification failed: the ledger does not add up',
};

/** Exit codes by number, with their meanings. */
export function exitRows(exitCodes: CommandDefinition['exitCodes']): readonly HelpRow[] {
  const meanings: CommandDefinition['exitCodes'] = { ...COMMON_EXIT_CODES, ...exitCodes };
  return Object.entries(EXIT).flatMap(([name, code]): readonly HelpRow[] => {
    // `as`: these are the names of the table itself.
    const meaning = meanings[name as keyof typeof EXIT];
    return meaning === undefined ? [] : [[String(code), meaning]];
  });
}
