import { type LimitsAnswer, limitsStatus } from '../../../app/limits-status.ts';
import { type CommandDeclaration, defineCommand } from '../../declaration.ts';
import { EXIT } from '../../exit-codes.ts';
import { printData, say, table } from '../../output.ts';

type Status = LimitsAnswer['limits'][number];

export const limitsStatusCommand: CommandDeclaration = defineCommand({
  path: 'limits status',
  summary: 'show what is used and left of each rate, concurrency limit and budget',
  does: `Prints each counter of limits.yaml that concerns the agent, or any declared agent: what is used of it, what calls
    under way have reserved, what is left, when its window ends (UTC), and whether the soft share was crossed. A limit
    of a role or a team is one counter for all its members.

    A broker that runs is asked, since it counts rates and concurrency in its memory. Without one the budgets alone are
    shown, as it left them.`,
  flags: [{ name: 'as', value: 'agent', what: 'only what concerns this agent, such as `agent:demo`' }],
  settings: ['registry', 'policies', 'data'],
  exits: {
    yes: 'the counters were printed; there may be none',
    usage: 'no such agent is declared, or a file, flag or variable is wrong',
  },
  examples: [
    { wish: 'See how near an agent is to its limits', line: 'seneschal limits status --as agent:demo' },
    { wish: 'Have every counter, for a program', line: 'seneschal limits status --output json' },
  ],
  run: async ({ flags, settings, output }) => {
    const answer = await limitsStatus(settings(), flags.as);
    printData(answer, output, limitsText);
    if (!answer.running) say('no broker runs: budgets are as it left them, and nobody counts rates and concurrency');
    return EXIT.yes;
  },
});

function limitsText({ limits }: LimitsAnswer): string {
  const head = ['LIMIT', 'OF', 'RESOURCE', 'USED', 'RESERVED', 'LEFT', 'ENDS OR NEXT', ''];
  return table([head, ...limits.map(row)]);
}

function row(status: Status): readonly string[] {
  const place = [status.rule, status.subject, status.resource];
  switch (status.kind) {
    case 'rate': {
      const next = status.nextInMs === 0 ? '' : `next in ${status.nextInMs} ms`;
      return [
        `rate ${status.limit} burst ${status.burst}`,
        ...place.slice(1),
        `${status.used}`,
        '',
        `${status.left}`,
        next,
        place[0] ?? '',
      ];
    }
    case 'concurrency':
      return [
        `concurrency ${status.limit}`,
        ...place.slice(1),
        `${status.used}`,
        '',
        `${status.left}`,
        '',
        place[0] ?? '',
      ];
    case 'budget':
      return [
        `budget ${amounts(status.limit)} per ${status.window}`,
        ...place.slice(1),
        ...[status.used, status.reserved, status.left].map(amounts),
        status.endsAt,
        `${status.rule}${status.softCrossed ? `, ${status.softPercent}% crossed` : ''}`,
      ];
  }
}

function amounts({ calls, usd }: { readonly calls?: number; readonly usd?: string }): string {
  return [...(calls === undefined ? [] : [`${calls} calls`]), ...(usd === undefined ? [] : [`$${usd}`])].join(', ');
}
