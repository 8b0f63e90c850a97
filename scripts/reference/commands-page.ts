import { Help } from 'commander';
import type { CommandDefinition, Example, Flag } from '../../src/cli/framework/command.ts';
import { OUTPUT_FLAG, SETTING_FLAGS } from '../../src/cli/framework/flags.ts';
import {
  ALL_EXIT_CODES,
  argumentRows,
  exitRows,
  flagRows,
  flagTerm,
  type HelpRow,
  paragraphsOf,
  usageOf,
} from '../../src/cli/framework/help.ts';

const WIDTH = 118;

/** The page `docs/reference/cli.md`: every command with the parts of its help, made from its declaration. */
export function commandsPage(commands: readonly CommandDefinition[], nouns: Readonly<Record<string, string>>): string {
  return page([
    '# Commands',
    prose('Reference. Made by `npm run reference` from the declarations in `src/cli/commands/`; a test compares.'),
    prose(
      `Data goes to standard output and words to standard error. Each command tells the same with \`--help\`; help is as
      wide as the terminal, else as the variable \`COLUMNS\` says, else 80 columns, and has no colours.`,
    ),
    table(
      ['Command', 'Does'],
      commands.map(({ path, summary }): HelpRow => [`[\`${path}\`](#${anchor(path)})`, summary]),
    ),
    '## Exit codes',
    table(['Code', 'Means'], exitRows(ALL_EXIT_CODES)),
    '## Errors',
    prose(
      `An error is told with its place, what is wrong, its [code](reasons.md#error-codes) and a hint of what to type or
      change next. With \`--output json\` it is one line of JSON on standard error,
      \`{"problems":[{"code","at","message","hint"}]}\`, for wrong flags too.`,
    ),
    ...commands.map((command, index) => {
      const noun = command.path.split(' ')[0] ?? '';
      const isFirst = commands.findIndex(({ path }) => path.startsWith(`${noun} `)) === index;
      return isFirst && nouns[noun] !== undefined
        ? `## ${noun}\n\n${nouns[noun]}\n\n${section(command)}`
        : section(command);
    }),
  ]);
}

function section(command: CommandDefinition): string {
  const rows = argumentRows(command);
  return [
    `${command.path.includes(' ') ? '###' : '##'} ${command.path}`,
    `\`\`\`text\n${usageOf(command)}\n\`\`\``,
    ...paragraphsOf(command.description).map(prose),
    ...(rows.length > 0 ? [table(['Argument', 'Is'], rows.map(code))] : []),
    table(['Flag', 'Does'], flagRows(command).map(code)),
    table(['Code', 'Means'], exitRows(command.exitCodes)),
    `\`\`\`text\n${command.examples.map(exampleText).join('\n\n')}\n\`\`\``,
  ].join('\n\n');
}

function exampleText({ title: wish, line }: Example): string {
  return `# ${wish}\n${line}`;
}

/** The page `docs/reference/settings.md`: every flag that sets something, its variable, its default, who takes it. */
export function settingsPage(commands: readonly CommandDefinition[]): string {
  const settings = Object.values(SETTING_FLAGS).map((flag): readonly string[] => [
    `\`${flagTerm(flag)}\``,
    `\`${flag.variable ?? ''}\``,
    `\`${flag.default ?? ''}\``,
    flag.description,
    takers(commands, flag),
  ]);
  const own = commands.flatMap((command) =>
    command.flags
      .filter(({ hidden }) => !hidden)
      .map((flag): readonly string[] => [
        `\`${command.path}\``,
        `\`${flagTerm(flag)}\``,
        flag.default === undefined ? (flag.required ? 'required' : '') : `\`${flag.default}\``,
        flag.description,
      ]),
  );
  return page([
    '# Settings',
    prose(
      `Reference. Made by \`npm run reference\` from \`src/cli/framework/flags.ts\` and the declarations of the commands; a
      test compares. What stands in the files of \`registry/\` and \`policies/\` is told by the schemas in
      \`registry/schema/\`.`,
    ),
    '## Where a broker finds its files and listens',
    prose(
      `A flag goes before a variable, a variable before the default; an empty variable counts as not set. A value that is
      not allowed ends the command with 2 and \`settings-invalid\`, at its flag or variable.`,
    ),
    table(['Flag', 'Variable', 'Default', 'Sets', 'Taken by'], settings),
    '## Every command',
    prose(`\`--help\` prints help. \`${flagTerm(OUTPUT_FLAG)}\` is taken by every command but ${without(commands)}:`),
    table(
      ['Flag', 'Default', 'Sets'],
      [[`\`${flagTerm(OUTPUT_FLAG)}\``, `\`${OUTPUT_FLAG.default}\``, OUTPUT_FLAG.description]],
    ),
    '## Of one command',
    table(['Command', 'Flag', 'Default', 'Does'], own),
  ]);
}

function takers(commands: readonly CommandDefinition[], { name }: Flag): string {
  const taking = commands.filter(({ settings }) => settings.some((one) => SETTING_FLAGS[one].name === name));
  return taking.map(({ path }) => `\`${path}\``).join(', ');
}

function without(commands: readonly CommandDefinition[]): string {
  return commands
    .filter(({ ownOutput }) => ownOutput)
    .map(({ path }) => `\`${path}\``)
    .join(', ');
}

function code([term, what]: HelpRow): HelpRow {
  return [`\`${term}\``, what];
}

function anchor(path: string): string {
  return path.replaceAll(' ', '-');
}

function prose(text: string): string {
  return new Help().boxWrap(text.replace(/\s+/g, ' '), WIDTH);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = rows.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`);
  return [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...lines].join('\n');
}

function page(parts: readonly string[]): string {
  return `${parts.join('\n\n')}\n`;
}
