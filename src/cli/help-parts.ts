import type { Argument, CommandDefinition, Flag } from './declaration.ts';
import { EXIT } from './exit-codes.ts';
import { OUTPUT_FLAG, SETTING_FLAGS } from './settings-flags.ts';

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
