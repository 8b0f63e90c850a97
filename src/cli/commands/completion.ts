import { bashCompletion } from '../completion/bash.ts';
import { completedWords } from '../completion/completed-words.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { type CommandDefinition, defineCommand } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

export const completion: CommandDefinition = defineCommand({
  path: 'completion',
  summary: 'print a script by which a shell completes commands, flags and their values',
  description: `Prints a completion script for a shell, made from the same declarations as help and the parser. It completes
    commands, flags, the values of flags that have a fixed choice, and directories. Print it anew after an upgrade.`,
  arguments: [{ name: 'shell', description: 'the shell that is to complete', choices: ['bash', 'zsh', 'fish'] }],
  ownOutput: true,
  exitCodes: { yes: 'the script was printed' },
  examples: [
    {
      title: 'Complete in this bash, or in each when it stands in ~/.bashrc',
      line: 'eval "$(seneschal completion bash)"',
    },
    {
      title: 'Complete in each zsh: in a directory of fpath, before compinit runs',
      line: 'mkdir -p ~/.zfunc && seneschal completion zsh > ~/.zfunc/_seneschal',
    },
    {
      title: 'Complete in each fish',
      line: 'mkdir -p ~/.config/fish/completions && seneschal completion fish > ~/.config/fish/completions/seneschal.fish',
    },
  ],
  run: ({ args: { shell }, commands, nouns }) => {
    process.stdout.write(SCRIPTS[shell](completedWords(commands, nouns), commands));
    return EXIT.yes;
  },
});
