import { type LimitsReport, limitsStatus } from '../../../app/queries/limits-status.ts';
import { formatDuration } from '../../../lib/time.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData, printMessage, table } from '../../framework/output.ts';

type Status = LimitsReport['limits'][number];

export const limitsStatusCommand: CommandDefinition = defineCommand({
  path: 'limits status',
  summary: 'show the used and remaining part of each rate, concurrency limit and budget',
  description: `Prints each counter of limits.yaml that applies to the agent, or to any declared agent: the used part, the part
    reserved by calls in progress, the remaining part, the end of the window (UTC), and whether the \`soft\` share was
    reached. A limit of a role or a team is one counter for all its members.

    Rates and concurrency are counted in the memory of a running broker. If no broker runs, only budgets are shown, with
    their last recorded values.`,
  flags: [{ name: 'as', value: 'agent', description: 'only the counters of this agent, such as `agent:demo`' }],
  settings: ['registry', 'policies', 'data'],
  exitCodes: {
    yes: 'the counters were printed; there may be none',
    usage: 'the agent is not declared, or a file, flag or variable is invalid',
  },
  examples: [
    { title: 'See how close an agent is to its limits', line: 'seneschal limits status --as agent:demo' },
    { title: 'Print every counter as JSON', line: 'seneschal limits status --output json' },
  ],
  run: async ({ flags, settings, output }) => {
    const report = await limitsStatus(settings(), flags.as);
    printData(report, output, limitsText);
    if (!report.running)
      printMessage(
        'no broker runs: budgets show their last recorded values, and rates and concurrency are not counted',
      );
    return EXIT.yes;
  },
});

function limitsText({ limits }: LimitsReport): string {
  const head = ['LIMIT', 'OF', 'RESOURCE', 'USED', 'RESERVED', 'LEFT', 'ENDS OR NEXT', ''];
  return table([head, ...limits.map(limitCells)]);
}

function limitCells(status: Status): readonly string[] {
  const scope = [status.rule, status.subject, status.resource];
  switch (status.kind) {
    case 'rate': {
      const next = status.nextInMs === 0 ? '' : `next in ${formatDuration(status.nextInMs)}`;
      return [
        `rate ${status.limit} burst ${status.burst}`,
        ...scope.slice(1),
        `${status.used}`,
        '',
        `${status.left}`,
        next,
        scope[0] ?? '',
      ];
    }
    case 'concurrency':
      return [
        `concurrency ${status.limit}`,
        ...scope.slice(1),
        `${status.used}`,
        '',
        `${status.left}`,
        '',
        scope[0] ?? '',
      ];
    case 'budget':
      return [
        `budget ${amounts(status.limit)} per ${status.window}`,
        ...scope.slice(1),
        ...[status.used, status.reserved, status.left].map(amounts),
        status.endsAt,
        `${status.rule}${status.softCrossed ? `, ${status.softPercent}% crossed` : ''}`,
      ];
  }
}

function amounts({ calls, usd }: { readonly calls?: number; readonly usd?: string }): string {
  return [...(calls === undefined ? [] : [`${calls} calls`]), ...(usd === undefined ? [] : [`$${usd}`])].join(', ');
}
