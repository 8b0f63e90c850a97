import { Help } from 'commander';
import type { CommandDefinition, Example } from '../../src/cli/framework/command.ts';
import { OUTPUT_FLAG, SETTING_FLAGS } from '../../src/cli/framework/flags.ts';
import {
  ALL_EXIT_CODES,
  argumentRows,
  exitRows,
  flagRows,
  flagTerm,
  HELP_ROW,
  type HelpRow,
  paragraphsOf,
  usageOf,
} from '../../src/cli/framework/help.ts';
import { code, generatedFrom, pageOf, tableOf } from './markdown.ts';

const WIDTH = 118;

const SHARED_FLAGS: readonly HelpRow[] = [
  ...Object.values(SETTING_FLAGS).map((flag): HelpRow => [flagTerm(flag), flag.description]),
  [flagTerm(OUTPUT_FLAG), `${OUTPUT_FLAG.description} (default: ${OUTPUT_FLAG.default})`],
  HELP_ROW,
];

/** The page `docs/reference/cli.md`: the shared flags and exit codes once, then each command with its own. */
export function commandsPage(commands: readonly CommandDefinition[], nouns: Readonly<Record<string, string>>): string {
  return pageOf([
    '# Commands',
    '',
    prose(
      `Reference. Every command with its arguments, flags, exit codes and examples. \`--help\` prints the same text. For
      the endpoints and files of a running broker see [The broker](broker.md).`,
    ),
    '',
    prose('Data goes to standard output, messages to standard error.'),
    '',
    ...tableOf(
      ['Command', 'Does'],
      commands.map(({ path, summary }) => [`[${code(path)}](#${anchor(path)})`, summary]),
    ),
    '',
    '## Shared flags',
    '',
    ...tableOf(['Flag', 'Does'], SHARED_FLAGS.map(coded)),
    '',
    prose(
      `Each section lists the flags of its command alone, and names the settings that it takes. Variables and defaults of
      the settings are in [Settings](settings.md). Every command takes ${code(flagTerm(OUTPUT_FLAG))} but
      ${list(commands.filter(({ ownOutput }) => ownOutput).map(({ path }) => path))}.`,
    ),
    '',
    '## Exit codes',
    '',
    ...tableOf(['Code', 'Means'], COMMON_EXIT_ROWS),
    '',
    prose('A section lists the codes that have a more exact meaning for its command.'),
    '',
    '## Errors',
    '',
    prose(
      `An error has a place, a message, a [code](reasons.md#error-codes) and a hint with the next step. With
      \`--output json\` it is one line of JSON on standard error, also for invalid flags:
      \`{"problems":[{"code","at","message","hint"}]}\`.`,
    ),
    '',
    ...commands.flatMap((command, index) => {
      const noun = command.path.split(' ')[0] ?? '';
      const isFirst = commands.findIndex(({ path }) => path.startsWith(`${noun} `)) === index;
      const about = nouns[noun];
      return isFirst && about !== undefined ? [`## ${noun}`, '', about, '', ...section(command)] : section(command);
    }),
    ...generatedFrom(['src/cli/commands.ts', 'src/cli/commands/']),
  ]);
}

const COMMON_EXIT_ROWS = exitRows(ALL_EXIT_CODES);

function section(command: CommandDefinition): readonly string[] {
  const sharedTerms = new Set(SHARED_FLAGS.map(([term]) => term));
  const ownFlags = flagRows(command).filter(([term]) => !sharedTerms.has(term));
  const ownCodes = exitRows(command.exitCodes).filter(([number, means]) =>
    COMMON_EXIT_ROWS.every(([common, text]) => common !== number || text !== means),
  );
  return [
    `${command.path.includes(' ') ? '###' : '##'} ${command.path}`,
    '',
    '```text',
    usageOf(command),
    '```',
    '',
    ...paragraphsOf(command.description).flatMap((paragraph) => [prose(paragraph), '']),
    ...tableIfAny(['Argument', 'Is'], argumentRows(command)),
    ...tableIfAny(['Flag', 'Does'], ownFlags),
    ...(command.settings.length > 0 ? [settingsLine(command), ''] : []),
    ...tableIfAny(['Exit code', 'Means'], ownCodes),
    '```text',
    command.examples.map(exampleText).join('\n\n'),
    '```',
    '',
  ];
}

function settingsLine({ settings }: CommandDefinition): string {
  return `Settings: ${list(settings.map((name) => `--${SETTING_FLAGS[name].name}`))}.`;
}

function exampleText({ title, line }: Example): string {
  return `# ${title}\n${line}`;
}

/** The page `docs/reference/settings.md`: every setting with its flag, its variable and its default. */
export function settingsPage(): string {
  return pageOf([
    '# Settings',
    '',
    prose(
      `Reference. Directories and address of a broker, set by a flag or by an environment variable. The flags of each
      command are in [Commands](cli.md), the endpoints and the files of the data directory in [The broker](broker.md), the
      keys of files in [The registry](registry.md), [Policies](policy.md) and [\`limits.yaml\`](limits.md).`,
    ),
    '',
    '## Directories and address',
    '',
    ...tableOf(
      ['Flag', 'Variable', 'Default', 'Sets'],
      Object.values(SETTING_FLAGS).map((flag) => [
        code(flagTerm(flag)),
        code(flag.variable ?? ''),
        code(flag.default ?? ''),
        flag.description,
      ]),
    ),
    '',
    prose(
      `A flag wins over the variable, and the variable over the default. An empty variable counts as not set. An invalid
      value ends the command with exit code 2 and \`settings-invalid\`; the message names the flag or the variable.`,
    ),
    '',
    '## Other variables',
    '',
    ...tableOf(
      ['Variable', 'Use'],
      [
        [
          code('SENESCHAL_KEY'),
          'holds the key of an agent in the entry that `seneschal connect --http` writes; the agent host reads it, the broker does not',
        ],
        [code('COLUMNS'), 'width of `--help` if standard output is not a terminal; 80 columns without it'],
        [code('NAME'), 'any variable that a secret reference `$' + '{env:NAME}` of a registry file names'],
      ],
    ),
    '',
    ...generatedFrom(['src/cli/framework/flags.ts']),
  ]);
}

function coded([term, text]: HelpRow): HelpRow {
  return [code(term), text];
}

function tableIfAny(heads: readonly string[], rows: readonly HelpRow[]): readonly string[] {
  return rows.length === 0 ? [] : [...tableOf(heads, rows.map(coded)), ''];
}

function list(terms: readonly string[]): string {
  return terms
    .map(code)
    .join(', ')
    .replace(/, ([^,]*)$/, ' and $1');
}

function anchor(path: string): string {
  return path.replaceAll(' ', '-');
}

function prose(text: string): string {
  return new Help().boxWrap(text.trim().replace(/\s+/g, ' '), WIDTH);
}
