import { type AgentPowers, type ListedTool, listPowers } from '../../../app/policy-list.ts';
import { type CommandDeclaration, defineCommand } from '../../declaration.ts';
import { EXIT } from '../../exit-codes.ts';
import { printData, say, table } from '../../output.ts';

const ANSWERS: Readonly<Record<ListedTool['effect'], string>> = {
  allow: 'yes',
  deny: 'no',
  'depends-on-arguments': 'depends on arguments',
};

export const policyList: CommandDeclaration = defineCommand({
  path: 'policy list',
  summary: 'list what an agent may do, with the row that decides each',
  does: `Asks the policy about every tool that is pinned or described in the registry and every prompt that is pinned, as
    it asks itself before each call, and lists what this agent may use: always, or depending on arguments, and by which
    rows. Resources are asked one by one, with \`policy explain\`. It also names the roles and the team of the agent. It
    needs no broker that runs, calls nothing and records nothing.`,
  flags: [
    { name: 'as', value: 'agent', what: 'whose powers, such as `agent:demo`', required: true },
    { name: 'all', what: 'list the tools that are refused as well' },
  ],
  settings: ['registry', 'policies', 'data'],
  exits: {
    yes: 'the tools were printed; there may be none',
    usage: 'no such agent is declared, or a file, flag or variable is wrong',
  },
  examples: [
    { wish: 'See what an agent may do', line: 'seneschal policy list --as agent:demo' },
    {
      wish: 'See what it may not do as well, and which rows forbid it',
      line: 'seneschal policy list --as agent:demo --all',
    },
  ],
  run: ({ flags: { as, all }, settings, output }) => {
    const powers = listPowers(settings(), as);
    const tools = all ? powers.tools : powers.tools.filter(({ effect }) => effect !== 'deny');
    const refused = powers.tools.filter(({ effect }) => effect === 'deny').length;
    printData({ ...powers, tools, refused }, output, powersText);
    if (!all && refused > 0 && output === 'text') say(`${refused} more are refused; \`--all\` lists them`);
    return EXIT.yes;
  },
});

function powersText({ agent, team, roles, tools }: AgentPowers): string {
  const belongs = [...roles, ...(team === null ? [] : [`team:${team}`])];
  const rows = tools.map(({ tool, effect, by, pinned }) => [
    tool,
    ANSWERS[effect],
    by.join(' ') || 'no row matches',
    pinned ? '' : 'not pinned: cannot be called',
  ]);
  const head = `${agent}${belongs.length === 0 ? ' has no role' : ` is ${belongs.join(', ')}`}`;
  return `${head}\n${table([['TOOL', 'MAY CALL', 'BY', ''], ...rows])}`;
}
