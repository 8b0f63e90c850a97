import { parseAgentName } from '../../../domain/principal.ts';
import { isJsonObject } from '../../../lib/json/json.ts';
import { sendAdminRequest } from '../../daemon/admin-request.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { parseDurationFlagMs } from '../../framework/flags.ts';
import { cellOf, printData } from '../../framework/output.ts';

export const keysCreate: CommandDefinition = defineCommand({
  path: 'keys create',
  summary: 'create a key for a declared agent and print it once',
  description: `Creates an API key with which an agent authenticates over HTTP, and prints it. The key cannot be printed again: the
    data directory keeps only its SHA-256. The agent must be declared in registry/agents/. The key is valid at once,
    also for a running broker. The ledger records it.`,
  arguments: [{ name: 'agent', description: 'the agent, such as `agent:demo`' }],
  flags: [
    { name: 'expires', value: 'duration', description: 'lifetime, such as `90d`; without it the key does not expire' },
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: { yes: 'the key was created and printed' },
  examples: [
    { title: 'Create a key that expires in 90 days', line: 'seneschal keys create agent:demo --expires 90d' },
    {
      title: 'Write a key to a file that only you can read',
      line: '(umask 077 && seneschal keys create agent:demo > demo.key)',
    },
  ],
  run: async ({ args: { agent }, flags: { expires }, settings, output }) => {
    const lifetime =
      expires === undefined ? {} : { expiresInMs: parseDurationFlagMs('--expires', expires, '`90d` or `12h`') };
    const created = await sendAdminRequest(settings(), 'keys.create', { agent: parseAgentName(agent), ...lifetime });
    printData(created, output, (key) => (isJsonObject(key) ? cellOf(key.key) : ''));
    return EXIT.yes;
  },
});
