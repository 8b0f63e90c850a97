import { isJsonObject, type JsonValue } from '../../../lib/json.ts';
import { administerAct } from '../../administer-act.ts';
import { type CommandDeclaration, defineCommand } from '../../declaration.ts';
import { EXIT } from '../../exit-codes.ts';
import { cellOf, printData, table } from '../../output.ts';

export const keysList: CommandDeclaration = defineCommand({
  path: 'keys list',
  summary: 'show every key ever made, without its secret',
  does: `Prints each API key with its id, its agent, whether it is active, expired or revoked, when it was made and when it
    expires. The secret of a key is not kept and cannot be shown again.`,
  settings: ['registry', 'policies', 'data'],
  exits: { yes: 'the keys were printed; there may be none' },
  examples: [
    { wish: 'See which keys are in force', line: 'seneschal keys list' },
    { wish: 'Have the same for a program', line: 'seneschal keys list --output json' },
  ],
  run: async ({ settings, output }) => {
    const listed = await administerAct(settings(), 'keys.list', {});
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
