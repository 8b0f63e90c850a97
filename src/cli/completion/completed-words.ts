import type { CommandDefinition, Flag } from '../framework/command.ts';
import { allFlagsOf } from '../framework/help.ts';

/** What follows a flag: words to choose from, a path, or what nobody can guess. Undefined for a switch. */
export type CompletedValue = readonly string[] | 'directory' | 'file' | 'free';

export function completedValue({ value, choices }: Flag): CompletedValue | undefined {
  if (choices) return choices;
  if (value === 'dir') return 'directory';
  if (value === 'file') return 'file';
  return value === undefined ? undefined : 'free';
}

/** Flags that are completed: what is for the program's own use is not. */
export function completedFlags(command: CommandDefinition): readonly Flag[] {
  return [...allFlagsOf(command).filter(({ hidden }) => !hidden), { name: 'help', description: 'print this help' }];
}

/** Words that may stand in the places of arguments. */
export function completedArguments({ arguments: places }: CommandDefinition): readonly string[] {
  return places.flatMap(({ choices = [] }) => choices);
}

/** A noun and its verbs; a command without verbs has none. */
export interface CompletedWord {
  readonly word: string;
  readonly description: string;
  readonly verbs: readonly CommandDefinition[];
}

/** The words that may come first. */
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
