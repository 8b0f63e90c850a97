import type { CommandDefinition, Flag } from '../framework/command.ts';
import { PROGRAM } from '../framework/help.ts';
import { type CompletedWord, completedArguments, completedFlags, completedValue, verbOf } from './completed-words.ts';

/** The completion script for fish. */
export function fishCompletion(words: readonly CompletedWord[], commands: readonly CommandDefinition[]): string {
  return `# Completion of ${PROGRAM} for fish. Made by \`${PROGRAM} completion fish\`.
function __${PROGRAM}_is
    set -l typed (commandline -opc)
    test "$typed[2..-1]" = "$argv"
end
function __${PROGRAM}_within
    set -l typed (commandline -opc)
    set -l last (math (count $argv) + 1)
    test (count $typed) -ge $last; and test "$typed[2..$last]" = "$argv"
end
complete -c ${PROGRAM} -f
complete -c ${PROGRAM} -n 'test (count (commandline -opc)) -eq 1' -l version -d 'print the version'
complete -c ${PROGRAM} -l help -d 'print this help'
${words.map(({ word, description }) => line("'test (count (commandline -opc)) -eq 1'", `-a ${word}`, description)).join('\n')}
${words.flatMap(({ word, verbs }) => verbs.map((verb) => verbLine(word, verb))).join('\n')}
${commands.flatMap(commandLines).join('\n')}
`;
}

function verbLine(word: string, verb: CommandDefinition): string {
  return line(`'__${PROGRAM}_is ${word}'`, `-a ${verbOf(verb)}`, verb.summary);
}

function commandLines(command: CommandDefinition): readonly string[] {
  const within = `'__${PROGRAM}_within ${command.path}'`;
  const flags = completedFlags(command).filter(({ name }) => name !== 'help');
  return [
    ...completedArguments(command).map((word) => line(within, `-a ${word}`, '')),
    ...flags.map((flag) => line(within, `-l ${flag.name}${valueOfFlag(flag)}`, flag.description)),
  ];
}

function valueOfFlag(flag: Flag): string {
  const value = completedValue(flag);
  if (value === undefined) return '';
  if (value === 'directory') return " -x -a '(__fish_complete_directories (commandline -ct))'";
  if (value === 'file') return ' -r -F';
  return value === 'free' ? ' -x' : ` -x -a '${value.join(' ')}'`;
}

function line(when: string, options: string, description: string): string {
  const escaped = description.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
  return `complete -c ${PROGRAM} -n ${when} ${options}${escaped === '' ? '' : ` -d '${escaped}'`}`;
}
