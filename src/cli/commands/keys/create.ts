import { parseAgentName } from '../../../domain/principal.ts';
import { isJsonObject } from '../../../lib/json/json.ts';
import { sendAdminRequest } from '../../daemon/admin-request.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { parseDurationFlagMs } from '../../framework/flags.ts';
import { cellOf, printData } from '../../framework/output.ts';

export const keysCreate: CommandDefinition = defineCommand({
  path: 'keys create',
  summary: 'make a key for a declared agent and print it, once',
  description: `Makes an API key by which an agent proves itself over HTTP, and prints it. It is printed this once: the data
    directory keeps its SHA-256 alone. The agent must be declared in registry/agents/. In force at once, beside a
    broker that runs too; the act is in the ledger.`,
  arguments: [{ name: 'agent', description: 'the agent, such as `agent:demo`' }],
  flags: [
    { name: 'expires', value: 'duration', description: 'lifetime such as `90d`; without it the key does not expire' },
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: { yes: 'the key was made and printed' },
  examples: [
    { title: 'Give an agent a key for three months', line: 'seneschal keys create agent:demo --expires 90d' },
    {
      title: 'Put a key where only you can read it',
      line: '(umask 077 && seneschal keys create agent:demo > demo.key)',
    },
  ],
  run: async ({ args: { agent }, flags: { expires }, settings, output }) => {
    const lifetime =
      expires === undefined ? {} : { expiresInMs: parseDurationFlagMs('--expires', expires, '`90d` or `12h`') };
    const made = await sendAdminRequest(settings(), 'keys.create', { agent: parseAgentName(agent), ...lifetime });
    printData(made, output, (key) => (isJsonObject(key) ? cellOf(key.key) : ''));
    return EXIT.yes;
  },
});
