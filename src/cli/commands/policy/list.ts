import { type AgentPermissions, listPermissions, type ToolPermission } from '../../../app/queries/policy.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { printData, printMessage, table } from '../../framework/output.ts';

const EFFECT_TEXTS: Readonly<Record<ToolPermission['effect'], string>> = {
  allow: 'yes',
  deny: 'no',
  'depends-on-arguments': 'depends on arguments',
};

export const policyList: CommandDefinition = defineCommand({
  path: 'policy list',
  summary: 'list what an agent may do, with the row that decides each',
  description: `Asks the policy about every tool that is pinned or described in the registry and every prompt that is pinned, as
    it asks itself before each call, and lists what this agent may use: always, or depending on arguments, and by which
    rows. Resources are asked one by one, with \`policy explain\`. It also names the roles and the team of the agent. It
    needs no broker that runs, calls nothing and records nothing.`,
  flags: [
    { name: 'as', value: 'agent', description: 'whose powers, such as `agent:demo`', required: true },
    { name: 'all', description: 'list the tools that are refused as well' },
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: {
    yes: 'the tools were printed; there may be none',
    usage: 'no such agent is declared, or a file, flag or variable is wrong',
  },
  examples: [
    { title: 'See what an agent may do', line: 'seneschal policy list --as agent:demo' },
    {
      title: 'See what it may not do as well, and which rows forbid it',
      line: 'seneschal policy list --as agent:demo --all',
    },
  ],
  run: ({ flags: { as, all }, settings, output }) => {
    const permissions = listPermissions(settings(), as);
    const tools = all ? permissions.tools : permissions.tools.filter(({ effect }) => effect !== 'deny');
    const refused = permissions.tools.filter(({ effect }) => effect === 'deny').length;
    printData({ ...permissions, tools, refused }, output, permissionsText);
    if (!all && refused > 0 && output === 'text') printMessage(`${refused} more are refused; \`--all\` lists them`);
    return EXIT.yes;
  },
});

function permissionsText({ agent, team, roles, tools }: AgentPermissions): string {
  const belongs = [...roles, ...(team === null ? [] : [`team:${team}`])];
  const rows = tools.map(({ tool, effect, by, pinned }) => [
    tool,
    EFFECT_TEXTS[effect],
    by.join(' ') || 'no row matches',
    pinned ? '' : 'not pinned: cannot be called',
  ]);
  const head = `${agent}${belongs.length === 0 ? ' has no role' : ` is ${belongs.join(', ')}`}`;
  return `${head}\n${table([['TOOL', 'MAY CALL', 'BY', ''], ...rows])}`;
}
