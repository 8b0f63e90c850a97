import { replayLedger } from '../../../app/queries/ledger.ts';
import { escapeControlCharacters } from '../../../lib/text/escape-control-characters.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData } from '../../framework/output.ts';

export const replayDecide: CommandDefinition = defineCommand({
  path: 'replay decide',
  summary: 'decide every recorded call again from its recorded facts and policy, and compare',
  description: `Repeats every decision of the ledger with the recorded call, the recorded facts and the policy set that was in force
    then. Each result must equal the recorded decision; differences are printed. It calls no tool, reads no clock and
    changes nothing.`,
  settings: ['data'],
  exitCodes: {
    yes: 'every decision was reproduced',
    verification: 'a decision differs, or the ledger does not have the policy set of a decision',
  },
  examples: [
    { title: 'Verify that every recorded decision can be reproduced', line: 'seneschal replay decide' },
    { title: 'Print the report as JSON', line: 'seneschal replay decide --output json' },
  ],
  run: ({ settings, output }) => {
    const report = replayLedger(settings());
    printData(report, output, ({ calls, decisions, undecidable, differenceCount, differences, missing }) =>
      [
        ...differences.map((difference) => escapeControlCharacters(`different: ${JSON.stringify(difference)}`)),
        ...missing.map(({ revision, decisions: count }) => `missing: policy ${revision}, ${count} decisions`),
        `${calls} calls, ${decisions} decisions, ${undecidable} undecidable, ${differenceCount} differences`,
      ].join('\n'),
    );
    return report.differenceCount > 0 || report.missing.length > 0 ? EXIT.verification : EXIT.yes;
  },
});
