import { USAGE_GROUPS, type UsageReport, usageReport } from '../../app/queries/usage.ts';
import { type CommandDefinition, defineCommand } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { printData, printMessage, table } from '../framework/output.ts';
import { progress } from '../framework/progress.ts';

export const usage: CommandDefinition = defineCommand({
  path: 'usage',
  summary: 'sum up calls, money, refusals, failures and doubts, from the ledger',
  description: `Sums the calls that have ended: how many were made, completed, refused and failed, of how many nobody knows, and
    what they cost in dollars. A call counts when it ended; refusals that the ledger summed count with their number.
    Days and months are those of UTC. It only reads, beside a broker that runs or without one.

    The cost centre is the one that the registry gives the agent now; everything else is as it was recorded. What
    entries do not tell stands under \`-\`: the tool of refusals that were summed, or the reason of what was completed.`,
  flags: [
    { name: 'by', value: 'what', description: 'what is summed by', default: 'agent', choices: USAGE_GROUPS },
    {
      name: 'since',
      value: 'time',
      description: 'ended at this time or later: `7d` ago, a day, or a time as ISO 8601',
    },
    { name: 'until', value: 'time', description: 'ended before this time, in the same forms' },
  ],
  settings: ['registry', 'data'],
  exitCodes: { yes: 'the sums were printed; they may be of nothing' },
  examples: [
    { title: 'See what each agent did in the last week', line: 'seneschal usage --since 7d' },
    {
      title: 'See what a month has cost, by cost centre',
      line: 'seneschal usage --by cost-centre --since 2026-11-01 --until 2026-12-01',
    },
    {
      title: 'Hand the refusals of a day to a program, by reason',
      line: 'seneschal usage --by reason --since 1d --output json',
    },
  ],
  run: ({ flags, settings, output }) => {
    const reporter = progress();
    const onProgress = (share: number): void => reporter.tick(() => `read ${Math.floor(share * 100)} % of the ledger`);
    const report = usageReport(settings(), flags, onProgress);
    printData(report, output, usageText);
    if (report.unreadable > 0)
      printMessage(`${report.unreadable} entries are unreadable, and in no sum; run \`seneschal ledger list\``);
    return EXIT.yes;
  },
});

function usageText({ by, rows, total }: UsageReport): string {
  const head = [by.toUpperCase(), 'CALLS', 'COMPLETED', 'REFUSED', 'FAILED', 'IN DOUBT', 'USD'];
  return table([head, ...rows.map(cells), cells({ key: 'total', ...total })]);
}

function cells({
  key,
  calls,
  completed,
  refused,
  failed,
  inDoubt,
  usd,
}: UsageReport['rows'][number]): readonly string[] {
  return [key ?? '-', ...[calls, completed, refused, failed, inDoubt].map(String), usd];
}
