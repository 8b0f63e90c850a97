import { checkFiles } from '../../../app/queries/check-files.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData, problemText } from '../../framework/output.ts';

export const policyCheck: CommandDefinition = defineCommand({
  path: 'policy check',
  summary: 'lint the policy files: unknown names, shadowed and duplicate rows, grants that are too wide',
  description: `Reads policy.csv, limits.yaml and the policy tests as the broker does, and prints findings: rows with names that the
    registry does not have, rows without effect, and grants that are wider than every tool. It also finds virtual
    servers that name a feature which is not pinned, and virtual servers without any feature that an agent may use. It
    prints nothing if it finds nothing. It changes nothing, and no broker needs to run.

    With warnings alone it exits with 0. If the broker would refuse to load the files, it exits with 2.`,
  settings: ['registry', 'policies', 'data'],
  exitCodes: {
    yes: 'the broker would load the policy; warnings may have been printed',
    usage: 'the broker would refuse the policy, or a flag or variable is invalid',
  },
  examples: [
    { title: 'Lint the policy', line: 'seneschal policy check' },
    {
      title: 'Lint the policy of another directory, with JSON as output',
      line: 'seneschal policy check --policies ./policies --output json',
    },
  ],
  run: ({ settings, output }) => {
    const problems = checkFiles(settings());
    printData({ problems }, output, () => problems.map(problemText).join('\n'));
    return EXIT.yes;
  },
});
