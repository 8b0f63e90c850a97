import { FAILURE_MODES } from '../../app/queries/failure-modes.ts';
import type { FailureMode } from '../../domain/failure-mode.ts';
import { type CommandDefinition, defineCommand } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { printData } from '../framework/output.ts';

export const posture: CommandDefinition = defineCommand({
  path: 'posture',
  summary: 'list the failure mode of every check: what a call gets when the check fails',
  description: `Prints the failure mode of every check that the broker makes at its start and on a call: the reason or error that
    results (first line), the trigger (\`when\`), and the setting that turns the check off (\`opens\`). The list is made
    from the declarations in the code of the checks.

    Every check fails closed. \`opens: nothing\` means that no setting turns it off.`,
  exitCodes: { yes: 'the failure modes were printed' },
  examples: [
    { title: 'See how each check fails, and which setting turns it off', line: 'seneschal posture' },
    { title: 'Keep the list for an audit', line: 'seneschal posture --output json > failure-modes.json' },
  ],
  run: ({ output }) => {
    if (output === 'json') printData(FAILURE_MODES.map(failureModeJson), output, () => '');
    else printData(FAILURE_MODES, output, (modes) => modes.map(failureModeText).join('\n'));
    return EXIT.yes;
  },
});

/** The keys of the JSON output, which stay when the members of `FailureMode` are renamed. */
function failureModeJson({ control, trigger, result, means, override }: FailureMode): object {
  return { guard: control, when: trigger, yields: result, ...(means === undefined ? {} : { means }), opens: override };
}

function failureModeText({ control, trigger, result, means, override }: FailureMode): string {
  return [
    `${control}: ${result}${means === undefined ? '' : ` (${means})`}`,
    `  when   ${trigger}`,
    `  opens  ${override ?? 'nothing'}`,
  ].join('\n');
}
