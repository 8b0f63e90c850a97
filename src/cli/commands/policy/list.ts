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
  summary: 'list the permissions of an agent, with the row that decides each',
  description: `Evaluates the policy for every tool that is pinned or declared in the registry and for every pinned prompt, and
    lists those that the agent may use, always or depending on arguments, with the rows that decide. It also names the
    roles and the team of the agent. For a resource, run \`seneschal policy explain\`. It calls nothing and records
    nothing, and no broker needs to run.`,
  flags: [
    { name: 'as', value: 'agent', description: 'the agent, such as `agent:demo`', required: true },
    { name: 'all', description: 'list denied tools too' },
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: {
    yes: 'the tools were printed; there may be none',
    usage: 'the agent is not declared, or a file, flag or variable is invalid',
  },
  examples: [
    { title: 'List the permissions of an agent', line: 'seneschal policy list --as agent:demo' },
    {
      title: 'List denied tools too, and the rows that deny them',
      line: 'seneschal policy list --as agent:demo --all',
    },
  ],
  run: ({ flags: { as, all }, settings, output }) => {
    const permissions = listPermissions(settings(), as);
    const tools = all ? permissions.tools : permissions.tools.filter(({ effect }) => effect !== 'deny');
    const refused = permissions.tools.filter(({ effect }) => effect === 'deny').length;
    printData({ ...permissions, tools, refused }, output, permissionsText);
    if (!all && refused > 0 && output === 'text') printMessage(`${refused} more are denied; \`--all\` lists them`);
    return EXIT.yes;
  },
});

function permissionsText({ agent, team, roles, tools }: AgentPermissions): string {
  const belongs = [...roles, ...(team === null ? [] : [`team:${team}`])];
  const rows = tools.map(({ tool, effect, by, pinned }) => [
    tool,
    EFFECT_TEXTS[effect],
    by.join(' ') || 'no row matches',
    pinned ? '' : 'not pinned, so it cannot be called',
  ]);
  const head = `${agent}${belongs.length === 0 ? ' has no role' : ` is ${belongs.join(', ')}`}`;
  return `${head}\n${table([['TOOL', 'MAY CALL', 'BY', ''], ...rows])}`;
}
