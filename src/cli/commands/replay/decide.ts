import { replayLedger } from '../../../app/queries/ledger.ts';
import { escapeControlCharacters } from '../../../lib/text/escape-control-characters.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData } from '../../framework/output.ts';

export const replayDecide: CommandDefinition = defineCommand({
  path: 'replay decide',
  summary: 'decide every recorded call again from its recorded facts, by the policy set of its revision',
  description: `Takes every decision of the ledger again: the recorded call, the recorded facts, and the policy set that was in
    force then. What comes out must be what was recorded; each difference is printed. It calls no tool, reads no clock,
    and changes nothing.`,
  settings: ['data'],
  exitCodes: {
    yes: 'every decision follows from what was recorded',
    verification: 'a decision differs, or a policy set that decided is not kept',
  },
  examples: [
    { title: 'Show that what was decided follows from what was recorded', line: 'seneschal replay decide' },
    { title: 'Have the same for a program', line: 'seneschal replay decide --output json' },
  ],
  run: ({ settings, output }) => {
    const report = replayLedger(settings());
    printData(report, output, ({ calls, decisions, undecidable, differenceCount, differences, missing }) =>
      [
        ...differences.map((difference) => escapeControlCharacters(`different: ${JSON.stringify(difference)}`)),
        ...missing.map(({ revision, decisions: count }) => `not kept: policy ${revision}, ${count} decisions`),
        `${calls} calls, ${decisions} decisions, ${undecidable} undecidable, ${differenceCount} differences`,
      ].join('\n'),
    );
    return report.differenceCount > 0 || report.missing.length > 0 ? EXIT.verification : EXIT.yes;
  },
});
