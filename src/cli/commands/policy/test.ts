import { runPolicyTests } from '../../../app/queries/policy.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData, problemText } from '../../framework/output.ts';

export const policyTest: CommandDefinition = defineCommand({
  path: 'policy test',
  summary: 'run the policy tests, which say what must stay true',
  description: `Runs every test of policies/tests/*.yaml against policy.csv, and prints each that does not hold with its place.
    The broker runs the same tests before it starts and before it takes a changed policy into force. It needs no broker
    that runs, and changes nothing.`,
  settings: ['registry', 'policies', 'data'],
  exitCodes: { yes: 'every test holds', refused: 'a test does not hold' },
  examples: [
    { title: 'See whether a change keeps what must stay true', line: 'seneschal policy test' },
    { title: 'Let a pipeline read the result', line: 'seneschal policy test --output json' },
  ],
  run: ({ settings, output }) => {
    const result = runPolicyTests(settings());
    printData(result, output, ({ checked, failures }) =>
      [...failures.map(problemText), `${checked} checked, ${failures.length} failed`].join('\n'),
    );
    return result.failures.length > 0 ? EXIT.refused : EXIT.yes;
  },
});
