import { isJsonObject, type JsonValue } from '../../../lib/json/json.ts';
import { sendAdminRequest } from '../../daemon/admin-request.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { cellOf, printData, table } from '../../framework/output.ts';

export const keysList: CommandDefinition = defineCommand({
  path: 'keys list',
  summary: 'list all keys without their secrets',
  description: `Prints each API key with its id, its agent, its state (active, expired or revoked), and the times at which it was
    created and expires. Secrets are not kept and cannot be shown.`,
  settings: ['registry', 'policies', 'data'],
  exitCodes: { yes: 'the keys were printed; there may be none' },
  examples: [
    { title: 'See which keys are active', line: 'seneschal keys list' },
    { title: 'Print the list as JSON', line: 'seneschal keys list --output json' },
  ],
  run: async ({ settings, output }) => {
    const listed = await sendAdminRequest(settings(), 'keys.list', {});
    printData(listed, output, (keys) => table([['ID', 'AGENT', 'STATE', 'CREATED', 'EXPIRES'], ...rows(keys)]));
    return EXIT.yes;
  },
});

function rows(keys: JsonValue): readonly (readonly string[])[] {
  if (!Array.isArray(keys)) return [];
  return keys
    .filter(isJsonObject)
    .map(({ id, agent, state, createdAtMs, expiresAtMs }) => [
      cellOf(id),
      cellOf(agent),
      cellOf(state),
      time(createdAtMs),
      time(expiresAtMs),
    ]);
}

function time(ms: JsonValue | undefined): string {
  return typeof ms === 'number' ? new Date(ms).toISOString() : '-';
}
