import { USAGE_GROUPS, type UsageReport, usageReport } from '../../app/queries/usage.ts';
import { type CommandDefinition, defineCommand } from '../framework/command.ts';
import { EXIT } from '../framework/exit-codes.ts';
import { pluralize, printData, printMessage, table } from '../framework/output.ts';
import { progress } from '../framework/progress.ts';

export const usage: CommandDefinition = defineCommand({
  path: 'usage',
  summary: 'sum up calls, outcomes and costs from the ledger',
  description: `Counts the calls that have ended: completed, refused, failed, and in doubt, with their cost in dollars. A call counts
    at the time when it ended. Refusals that the ledger aggregated count with their number. Days and months are in UTC.
    It only reads the ledger; a broker may run at the same time.

    The cost centre is the one that the registry declares for the agent now; everything else is as recorded. \`-\` stands
    for a value that the entries do not hold: the tool of aggregated refusals, or the reason of completed calls.`,
  flags: [
    { name: 'by', value: 'key', description: 'group by this key', default: 'agent', choices: USAGE_GROUPS },
    {
      name: 'since',
      value: 'time',
      description:
        'only calls that ended at this time or later: a duration ago such as `7d`, a day, or a time in ISO 8601',
    },
    { name: 'until', value: 'time', description: 'only calls that ended before this time, in the same forms' },
  ],
  settings: ['registry', 'data'],
  exitCodes: { yes: 'the sums were printed; there may be none' },
  examples: [
    { title: 'See the usage of each agent in the last week', line: 'seneschal usage --since 7d' },
    {
      title: 'See the costs of a month by cost centre',
      line: 'seneschal usage --by cost-centre --since 2026-11-01 --until 2026-12-01',
    },
    {
      title: 'Export the refusals of a day by reason',
      line: 'seneschal usage --by reason --since 1d --output json',
    },
  ],
  run: ({ flags, settings, output }) => {
    const reporter = progress();
    const onProgress = (share: number): void => reporter.tick(() => `read ${Math.floor(share * 100)} % of the ledger`);
    const report = usageReport(settings(), flags, onProgress);
    printData(report, output, usageText);
    if (report.unreadable > 0)
      printMessage(
        `${pluralize(report.unreadable, 'unreadable entry', 'unreadable entries')} not counted; run \`seneschal ledger list\` to find them`,
      );
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
