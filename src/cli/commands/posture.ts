import { FAILURE_MODES } from '../../app/queries/failure-modes.ts';
import type { FailureMode } from '../../domain/failure-mode.ts';
import { type CommandDefinition, defineCommand } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { printData } from '../framework/output.ts';

export const posture: CommandDefinition = defineCommand({
  path: 'posture',
  summary: 'say what each guard does when it fails, and whether a setting opens it',
  description: `Prints every guard that a start and a call meet: what fails it, the reason or error that this yields, and what a
    person may set so that it lets through. Every row is declared beside the code that decides, and taken from there.

    Nothing here fails open: where \`opens\` names nothing, no setting changes what is said.`,
  exitCodes: { yes: 'the guards were printed' },
  examples: [
    { title: 'See what fails closed, and what may be opened', line: 'seneschal posture' },
    { title: 'Keep the answer beside an audit', line: 'seneschal posture --output json > posture.json' },
  ],
  run: ({ output }) => {
    printData(FAILURE_MODES, output, (rows) => rows.map(failureModeText).join('\n'));
    return EXIT.yes;
  },
});

function failureModeText({
  control: guard,
  trigger: when,
  result: yields,
  means,
  override: opens,
}: FailureMode): string {
  return [
    `${guard}: ${yields}${means === undefined ? '' : ` (${means})`}`,
    `  when   ${when}`,
    `  opens  ${opens ?? 'nothing'}`,
  ].join('\n');
}
