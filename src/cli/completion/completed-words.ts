import type { CommandDefinition, Flag } from '../framework/command.ts';
import { allFlagsOf } from '../framework/help.ts';

/** Completion of the value of a flag: a list of words, a path, or `free` for any other text. */
export type CompletedValue = readonly string[] | 'directory' | 'file' | 'free';

/** Completion of the value of a flag; undefined for a switch. */
export function completedValue({ value, choices }: Flag): CompletedValue | undefined {
  if (choices) return choices;
  if (value === 'dir') return 'directory';
  if (value === 'file') return 'file';
  return value === undefined ? undefined : 'free';
}

/** The visible flags of a command, `--help` last. */
export function completedFlags(command: CommandDefinition): readonly Flag[] {
  return [...allFlagsOf(command).filter(({ hidden }) => !hidden), { name: 'help', description: 'print this help' }];
}

/** Words that a command accepts as arguments. */
export function completedArguments({ arguments: places }: CommandDefinition): readonly string[] {
  return places.flatMap(({ choices = [] }) => choices);
}

/** A first word of the command line: a noun with its verbs, or a command without verbs. */
export interface CompletedWord {
  readonly word: string;
  readonly description: string;
  readonly verbs: readonly CommandDefinition[];
}

/** The words that may come first on the command line. */
export function completedWords(
  commands: readonly CommandDefinition[],
  nouns: Readonly<Record<string, string>>,
): readonly CompletedWord[] {
  const words = [...new Set(commands.map(({ path }) => path.split(' ')[0] ?? ''))];
  return words.map((word) => ({
    word,
    description: nouns[word] ?? commands.find(({ path }) => path === word)?.summary ?? '',
    verbs: commands.filter(({ path }) => path.startsWith(`${word} `)),
  }));
}

export function verbOf({ path }: CommandDefinition): string {
  return path.split(' ').slice(1).join(' ');
}
