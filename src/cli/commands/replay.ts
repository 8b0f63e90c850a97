import type { Command } from 'commander';
import { replayLedger } from '../../app/replay.ts';
import { visibleText } from '../../lib/visible-text.ts';
import { EXIT } from '../exit-codes.ts';
import { printData } from '../output.ts';
import { type CommonFlags, outputFlag, settingsFlags, settingsOf } from '../settings-flags.ts';

/** `replay decide`: beside a running daemon or without one; it only reads. */
export function registerReplay(program: Command): void {
  const replay = program.command('replay').description('walk recorded calls again');
  outputFlag(settingsFlags(replay.command('decide'), ['data']))
    .description('decide every recorded call again from its recorded facts, by the policy set of its revision')
    .action((flags: CommonFlags) => {
      const report = replayLedger(settingsOf(flags));
      printData(report, flags.output, ({ calls, decisions, undecidable, differenceCount, differences, missing }) =>
        [
          ...differences.map((difference) => visibleText(`different: ${JSON.stringify(difference)}`)),
          ...missing.map(({ revision, decisions: count }) => `not kept: policy ${revision}, ${count} decisions`),
          `${calls} calls, ${decisions} decisions, ${undecidable} undecidable, ${differenceCount} differences`,
        ].join('\n'),
      );
      if (report.differenceCount > 0 || report.missing.length > 0) process.exitCode = EXIT.verification;
    });
}
