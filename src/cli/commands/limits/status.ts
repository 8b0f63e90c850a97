import { type LimitsReport, limitsStatus } from '../../../app/queries/limits-status.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData, printMessage, table } from '../../framework/output.ts';

type Status = LimitsReport['limits'][number];

export const limitsStatusCommand: CommandDefinition = defineCommand({
  path: 'limits status',
  summary: 'show what is used and left of each rate, concurrency limit and budget',
  description: `Prints each counter of limits.yaml that concerns the agent, or any declared agent: what is used of it, what calls
    under way have reserved, what is left, when its window ends (UTC), and whether the soft share was crossed. A limit
    of a role or a team is one counter for all its members.

    A broker that runs is asked, since it counts rates and concurrency in its memory. Without one the budgets alone are
    shown, as it left them.`,
  flags: [{ name: 'as', value: 'agent', description: 'only what concerns this agent, such as `agent:demo`' }],
  settings: ['registry', 'policies', 'data'],
  exitCodes: {
    yes: 'the counters were printed; there may be none',
    usage: 'no such agent is declared, or a file, flag or variable is wrong',
  },
  examples: [
    { title: 'See how near an agent is to its limits', line: 'seneschal limits status --as agent:demo' },
    { title: 'Have every counter, for a program', line: 'seneschal limits status --output json' },
  ],
  run: async ({ flags, settings, output }) => {
    const report = await limitsStatus(settings(), flags.as);
    printData(report, output, limitsText);
    if (!report.running)
      printMessage('no broker runs: budgets are as it left them, and nobody counts rates and concurrency');
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
      const next = status.nextInMs === 0 ? '' : `next in ${status.nextInMs} ms`;
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
