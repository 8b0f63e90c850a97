import { runPolicyTests } from '../../../app/queries/policy.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData, problemText } from '../../framework/output.ts';

export const policyTest: CommandDefinition = defineCommand({
  path: 'policy test',
  summary: 'run the policy tests',
  description: `Runs every test of policies/tests/*.yaml against policy.csv, and prints each failed test with its place. The broker
    runs the same tests before it starts and before it applies a changed policy. It changes nothing, and no broker needs
    to run.`,
  settings: ['registry', 'policies', 'data'],
  exitCodes: { yes: 'every test passed', refused: 'at least one test failed' },
  examples: [
    { title: 'Run the policy tests after a change', line: 'seneschal policy test' },
    { title: 'Print the results as JSON', line: 'seneschal policy test --output json' },
  ],
  run: ({ settings, output }) => {
    const result = runPolicyTests(settings());
    printData(result, output, ({ checked, failures }) =>
      [...failures.map(problemText), `${checked} checked, ${failures.length} failed`].join('\n'),
    );
    return result.failures.length > 0 ? EXIT.refused : EXIT.yes;
  },
});
