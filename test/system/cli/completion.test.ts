import { execFileSync, spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS, NOUNS } from '../../../src/cli/commands.ts';
import { allFlagsOf } from '../../../src/cli/framework/help.ts';
import { Home } from '../../fixtures/homes/home.ts';

let home: Home;
beforeAll(async () => {
  home = new Home();
  home.write({ 'deep/file.txt': '', 'dark/file.txt': '', 'doc.txt': '' });
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout, stderr } = await home.run(['completion', shell]);
    expect([code, stderr]).toEqual([0, '']);
    home.write({ [`script.${shell}`]: stdout });
  }
});
afterAll(() => home.close());

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { cwd: home.dir, encoding: 'utf8', env: { ...process.env, HOME: home.dir } });
}

function isInstalled(shell: string): boolean {
  const { error } = spawnSync(shell, ['-c', 'true']);
  if (error) process.stdout.write(`skipped: no ${shell} here, which runs its completion script\n`);
  return error === undefined;
}

const words = (text: string): readonly string[] => text.split('\n').filter(Boolean).sort();

describe('bash completes', () => {
  /** What a tab offers behind words that are typed; the last one is what stands before the cursor. */
  function offered(typed: readonly string[]): readonly string[] {
    const script = `source script.bash
      COMP_WORDS=(seneschal "$@"); COMP_CWORD=$#
      "$(complete -p seneschal | sed 's/.*-F \\([^ ]*\\) .*/\\1/')" seneschal
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    return words(run('bash', ['--norc', '-c', script, 'bash', ...typed]));
  }

  test.each([
    [['pol'], ['policy']],
    [
      ['policy', ''],
      ['--help', 'check', 'explain', 'list', 'test'],
    ],
    [['policy', 'ex'], ['explain']],
    [
      ['policy', 'explain', '--'],
      ['--args', '--as', '--data', '--help', '--output', '--policies', '--registry'],
    ],
    [['policy', 'check', '--pol'], ['--policies']],
    // Behind arguments too.
    [
      ['policy', 'explain', 'call', 'tool:a/b', '--a'],
      ['--args', '--as'],
    ],
    [
      ['policy', 'check', '--output', ''],
      ['json', 'text'],
    ],
    // bash hands `--output=j` over as three words.
    [['policy', 'check', '--output', '=', 'j'], ['json']],
    [
      ['policy', 'check', '--output', '='],
      ['json', 'text'],
    ],
    [
      ['policy', 'check', '--data', 'd'],
      ['dark', 'deep'],
    ],
    // The name of an agent cannot be completed.
    [['policy', 'explain', '--as', ''], []],
    [['completion', 'f'], ['fish']],
    [['nonsense', ''], []],
  ])('%j with %j', (typed, expected) => {
    expect(offered(typed)).toEqual(expected);
  });

  test('every command and every flag that help names, and no flag that it does not', () => {
    for (const command of COMMANDS) {
      const flags = allFlagsOf(command)
        .filter(({ hidden }) => !hidden)
        .map(({ name }) => `--${name}`);
      expect([command.path, offered([...command.path.split(' '), '--'])]).toEqual([
        command.path,
        [...flags, '--help'].sort(),
      ]);
    }
    const first = COMMANDS.map(({ path }) => path.split(' ')[0] ?? '');
    expect(offered([''])).toEqual([...new Set([...first, ...Object.keys(NOUNS), '--help', '--version'])].sort());
  });
});

describe.skipIf(!isInstalled('zsh'))('zsh completes', () => {
  /** What stands on the line after a tab, in a zsh on a terminal of its own. */
  function line(typed: string): string {
    const script = `zmodload zsh/zpty
      zpty inner zsh -f -i
      zpty -w inner 'PS1=; unsetopt beep; autoload -U compinit; compinit -u -D; source ./script.zsh'
      zpty -w inner 'show() { print -r -- "LINE<$BUFFER>"; exit }; zle -N show; bindkey "^X" show; print rea""dy'
      zpty -r inner seen '*ready*'
      zpty -w -n inner "$1"$'\\t\\C-x'
      zpty -r inner seen '*LINE<*>*'
      print -r -- "\${\${seen##*LINE<}%>*}"
      zpty -d inner`;
    return run('zsh', ['-f', '-c', script, 'zsh', typed]).trimEnd();
  }

  test.each([
    ['seneschal pol', 'seneschal policy'],
    ['seneschal policy ex', 'seneschal policy explain'],
    ['seneschal policy check --pol', 'seneschal policy check --policies'],
    ['seneschal policy check --output j', 'seneschal policy check --output json'],
    ['seneschal policy check --output=j', 'seneschal policy check --output=json'],
    ['seneschal policy check --data de', 'seneschal policy check --data deep/'],
    ['seneschal completion f', 'seneschal completion fish'],
  ])('`%s` to `%s`', (typed, expected) => {
    expect(line(typed)).toBe(expected);
  });
});

describe.skipIf(!isInstalled('fish'))('fish completes', () => {
  function offered(typed: string): readonly string[] {
    const lines = words(run('fish', ['--no-config', '-c', 'source script.fish; complete -C $argv[1]', typed]));
    return lines.map((one) => one.split('\t')[0] ?? '');
  }

  test.each([
    ['seneschal pol', ['policy']],
    ['seneschal policy ', ['check', 'explain', 'list', 'test']],
    ['seneschal policy explain --a', ['--args', '--as']],
    ['seneschal policy check --output ', ['json', 'text']],
    ['seneschal policy check --output=j', ['--output=json']],
    ['seneschal policy check --data d', ['dark/', 'deep/']],
    ['seneschal policy explain --as ', []],
    ['seneschal completion f', ['fish']],
    ['seneschal serve --idle', []],
  ])('`%s` with %j', (typed, expected) => {
    expect(offered(typed)).toEqual(expected);
  });
});
