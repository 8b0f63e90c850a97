import { checkFiles } from '../../../app/queries/check-files.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData, problemText } from '../../framework/output.ts';

export const policyCheck: CommandDefinition = defineCommand({
  path: 'policy check',
  summary: 'lint the policy files: unknown names, shadowed and duplicate rows, grants too wide',
  description: `Reads policy.csv, limits.yaml and the policy tests as the broker would, and prints what is doubtful about
    them: rows that name what the registry does not hold, rows that change nothing, and grants that reach beyond every
    tool there is. Of virtual servers it says which name what nobody has agreed to, and which show nothing that an agent
    may use. Silence means that nothing is doubtful. It needs no broker that runs, and changes nothing.

    Warnings do not refuse a policy and end with 0. What the broker would refuse to load ends with 2.`,
  settings: ['registry', 'policies', 'data'],
  exitCodes: {
    yes: 'the policy would be loaded; warnings may have been printed',
    usage: 'the policy would be refused, or a flag or variable is wrong',
  },
  examples: [
    { title: 'Look for mistakes before you save a policy that is in force', line: 'seneschal policy check' },
    {
      title: 'Check a policy that lies elsewhere, for a program to read',
      line: 'seneschal policy check --policies ./policies --output json',
    },
  ],
  run: ({ settings, output }) => {
    const problems = checkFiles(settings());
    printData({ problems }, output, () => problems.map(problemText).join('\n'));
    return EXIT.yes;
  },
});
