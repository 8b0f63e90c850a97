import { FAILURE_MODES } from '../../app/queries/failure-modes.ts';
import type { FailureMode } from '../../domain/failure-mode.ts';
import { type CommandDefinition, defineCommand } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { printData } from '../framework/output.ts';

export const posture: CommandDefinition = defineCommand({
  path: 'posture',
  summary: 'print the failure mode of each check, and the setting that opens it',
  description: `Prints every check that a startup and a call pass: what makes it fail, the reason or error of that failure, and the
    setting that lets a call through all the same. Each failure mode is declared beside the code that decides.

    Every check fails closed. \`opens: nothing\` means that no setting overrides it.`,
  exitCodes: { yes: 'the failure modes were printed' },
  examples: [
    { title: 'See what fails closed, and what a setting opens', line: 'seneschal posture' },
    { title: 'Keep the failure modes with an audit', line: 'seneschal posture --output json > posture.json' },
  ],
  run: ({ output }) => {
    printData(FAILURE_MODES.map(printedMode), output, (modes) => modes.map(modeText).join('\n'));
    return EXIT.yes;
  },
});

/** Keys of `--output json`, which programs read. */
interface PrintedMode {
  readonly guard: string;
  readonly when: string;
  readonly yields: string;
  readonly means?: string;
  readonly opens: string | null;
}

function printedMode({ control, trigger, result, means, override }: FailureMode): PrintedMode {
  return {
    guard: control,
    when: trigger,
    yields: result,
    ...(means === undefined ? {} : { means }),
    opens: override,
  };
}

function modeText({ guard, when, yields, means, opens }: PrintedMode): string {
  return [
    `${guard}: ${yields}${means === undefined ? '' : ` (${means})`}`,
    `  when   ${when}`,
    `  opens  ${opens ?? 'nothing'}`,
  ].join('\n');
}
