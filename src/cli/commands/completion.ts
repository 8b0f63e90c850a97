import { bashCompletion } from '../completion/bash.ts';
import { completedWords } from '../completion/completed-words.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';
import { type CommandDefinition, defineCommand } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

export const completion: CommandDefinition = defineCommand({
  path: 'completion',
  summary: 'print a completion script for bash, zsh or fish',
  description: `Prints a completion script for a shell, made from the same declarations as help and the parser. It completes
    commands, flags, the values of flags that have a fixed choice, and directories. Print it again after an upgrade.`,
  arguments: [{ name: 'shell', description: 'the shell', choices: ['bash', 'zsh', 'fish'] }],
  ownOutput: true,
  exitCodes: { yes: 'the script was printed' },
  examples: [
    {
      title: 'Enable completion in this bash; add the line to ~/.bashrc to enable it in every bash',
      line: 'eval "$(seneschal completion bash)"',
    },
    {
      title: 'Enable completion in zsh; the directory must be in fpath before compinit runs',
      line: 'mkdir -p ~/.zfunc && seneschal completion zsh > ~/.zfunc/_seneschal',
    },
    {
      title: 'Enable completion in fish',
      line: 'mkdir -p ~/.config/fish/completions && seneschal completion fish > ~/.config/fish/completions/seneschal.fish',
    },
  ],
  run: ({ args: { shell }, commands, nouns }) => {
    process.stdout.write(SCRIPTS[shell](completedWords(commands, nouns), commands));
    return EXIT.yes;
  },
});
