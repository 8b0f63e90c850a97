import { isJsonObject, type JsonValue } from '../../../lib/json.ts';
import { visibleText } from '../../../lib/visible-text.ts';
import { administerAct } from '../../administer-act.ts';
import { type CommandDeclaration, defineCommand } from '../../declaration.ts';
import { EXIT } from '../../exit-codes.ts';
import { cellOf, objectsOf, printData } from '../../output.ts';

export const registryPin: CommandDeclaration = defineCommand({
  path: 'registry pin',
  summary: 'agree to the definitions that servers have now: writes registry.lock',
  does: `Asks the servers for their tools, writes the definitions they have now into registry.lock, and prints what was
    pinned and what was removed. From then on exactly these can be called. Look at \`seneschal registry diff\` first:
    whoever pins vouches for what the tool says of itself. The act is in the ledger.`,
  arguments: [
    { name: 'server', what: 'only this server, such as `files`', optional: true },
    { name: 'tool', what: 'only this tool of it', optional: true },
  ],
  settings: ['registry', 'policies', 'data'],
  exits: { yes: 'registry.lock holds what the servers have' },
  examples: [
    { wish: 'Agree to one tool that has changed', line: 'seneschal registry pin files read_text_file' },
    { wish: 'Agree to every tool of every server', line: 'seneschal registry pin' },
  ],
  run: async ({ args, settings, output }) => {
    printData(await administerAct(settings(), 'registry.pin', { ...args }), output, pinText);
    return EXIT.yes;
  },
});

function pinText(data: JsonValue): string {
  const names = (key: string): readonly JsonValue[] => {
    const list = isJsonObject(data) ? data[key] : undefined;
    return Array.isArray(list) ? list : [];
  };
  return [
    ...names('pinned').map((id) => visibleText(`pinned ${cellOf(id)}`)),
    ...names('removed').map((id) => visibleText(`removed ${cellOf(id)}`)),
    ...objectsOf(data, 'quarantined').map(({ id, reason }) =>
      visibleText(`not pinned ${cellOf(id)}: ${cellOf(reason)}`),
    ),
  ].join('\n');
}
