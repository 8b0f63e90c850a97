import type { CommandDefinition } from '../framework/command.ts';
import { PROGRAM } from '../framework/help.ts';
import { type CompletedWord, completedArguments, completedFlags, completedValue, verbOf } from './completed-words.ts';

/** The completion script for bash, 3.2 and newer. */
export function bashCompletion(words: readonly CompletedWord[], commands: readonly CommandDefinition[]): string {
  return `# Completion of ${PROGRAM} for bash. Made by \`${PROGRAM} completion bash\`.
_${PROGRAM}() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} words='' kind='' IFS=$' \\n'
  # bash splits a word at \`=\`, as in \`--output=json\`.
  if [[ $current == = ]]; then current=''
  elif [[ $before == = ]]; then before=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case "\${COMP_WORDS[*]:1:COMP_CWORD-1}" in
    '') words='${[...words.map(({ word }) => word), '--help', '--version'].join(' ')}' ;;
${words.flatMap(nounCase).join('\n')}
${commands.map(commandCase).join('\n')}
  esac
  IFS=$'\\n'
  case $kind in
    directory) compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -d -- "$current")) ;;
    file) compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -f -- "$current")) ;;
    *) COMPREPLY=($(IFS=' '; compgen -W "$words" -- "$current")) ;;
  esac
}
complete -F _${PROGRAM} ${PROGRAM}
`;
}

function nounCase({ word, verbs }: CompletedWord): readonly string[] {
  return verbs.length === 0 ? [] : [`    '${word}') words='${[...verbs.map(verbOf), '--help'].join(' ')}' ;;`];
}

function commandCase(command: CommandDefinition): string {
  const flags = completedFlags(command);
  const values = flags.flatMap((flag): readonly string[] => {
    const value = completedValue(flag);
    if (value === undefined) return [];
    const then =
      value === 'free' ? 'return' : typeof value === 'string' ? `kind=${value}` : `words='${value.join(' ')}'`;
    return [`        --${flag.name}) ${then} ;;`];
  });
  const words = [...completedArguments(command), ...flags.map(({ name }) => `--${name}`)].join(' ');
  return [
    `    '${command.path}' | '${command.path} '*)`,
    '      case $before in',
    ...values,
    `        *) words='${words}' ;;`,
    '      esac ;;',
  ].join('\n');
}
