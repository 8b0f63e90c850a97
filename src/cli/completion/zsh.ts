import type { CommandDefinition } from '../framework/command.ts';
import { PROGRAM } from '../framework/help.ts';
import { type CompletedWord, completedArguments, completedFlags, completedValue, verbOf } from './completed-words.ts';

/** The completion script for zsh: to be evaluated, or as a file `_seneschal` in a directory of `fpath`. */
export function zshCompletion(words: readonly CompletedWord[], commands: readonly CommandDefinition[]): string {
  return `#compdef ${PROGRAM}
# Completion of ${PROGRAM} for zsh. Made by \`${PROGRAM} completion zsh\`.
_${PROGRAM}() {
  local -a found
  local typed="\${(j: :)words[2,CURRENT-1]}" before="\${words[CURRENT-1]}"
  # As in \`--output=json\`.
  if [[ $PREFIX == --*=* ]]; then before="\${PREFIX%%=*}"; compset -P '*='; fi
  case $typed in
    '')
      found=(${words.map(({ word, description }) => describeWord(word, description)).join(' ')})
      _describe command found ;;
${words.flatMap(nounCase).join('\n')}
${commands.map(commandCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _${PROGRAM} ]]; then _${PROGRAM} "$@"; else compdef _${PROGRAM} ${PROGRAM}; fi
`;
}

function nounCase({ word, verbs }: CompletedWord): readonly string[] {
  if (verbs.length === 0) return [];
  const found = verbs.map((verb) => describeWord(verbOf(verb), verb.summary)).join(' ');
  return [`    '${word}')`, `      found=(${found})`, '      _describe command found ;;'];
}

function commandCase(command: CommandDefinition): string {
  const flags = completedFlags(command);
  const values = flags.flatMap((flag): readonly string[] => {
    const value = completedValue(flag);
    if (value === undefined) return [];
    return [`        --${flag.name}) ${typeof value === 'string' ? PATHS[value] : `compadd -- ${value.join(' ')}`} ;;`];
  });
  const words = completedArguments(command);
  return [
    `    '${command.path}' | '${command.path} '*)`,
    '      case $before in',
    ...values,
    '        *)',
    ...(words.length === 0 ? [] : [`          compadd -- ${words.join(' ')}`]),
    `          found=(${flags.map(({ name, description }) => describeWord(`--${name}`, description)).join(' ')})`,
    '          _describe -o flag found ;;',
    '      esac ;;',
  ].join('\n');
}

const PATHS = { directory: '_files -/', file: '_files', free: ':' };

/** A word and its description, in the form of `_describe`. */
function describeWord(word: string, description: string): string {
  return `'${`${word}:${description.replaceAll(':', '\\:')}`.replaceAll("'", `'\\''`)}'`;
}
