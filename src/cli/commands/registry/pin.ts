import { isJsonObject, type JsonValue } from '../../../lib/json/json.ts';
import { escapeControlCharacters } from '../../../lib/text/escape-control-characters.ts';
import { sendAdminRequest } from '../../daemon/admin-request.ts';
import { type CommandDefinition, defineCommand } from '../../framework/command.ts';
import { EXIT } from '../../framework/exit-codes.ts';
import { cellOf, objectsOf, printData } from '../../framework/output.ts';

export const registryPin: CommandDefinition = defineCommand({
  path: 'registry pin',
  summary: 'agree to the definitions that servers have now: writes registry.lock',
  description: `Asks the servers for their tools, writes the definitions they have now into registry.lock, and prints what was
    pinned and what was removed. From then on exactly these can be called. Look at \`seneschal registry diff\` first:
    whoever pins vouches for what the tool says of itself. The act is in the ledger.`,
  arguments: [
    { name: 'server', description: 'only this server, such as `files`', optional: true },
    { name: 'tool', description: 'only this tool of it', optional: true },
  ],
  settings: ['registry', 'policies', 'data'],
  exitCodes: { yes: 'registry.lock holds what the servers have' },
  examples: [
    { title: 'Agree to one tool that has changed', line: 'seneschal registry pin files read_text_file' },
    { title: 'Agree to every tool of every server', line: 'seneschal registry pin' },
  ],
  run: async ({ args, settings, output }) => {
    printData(await sendAdminRequest(settings(), 'registry.pin', { ...args }), output, pinText);
    return EXIT.yes;
  },
});

function pinText(data: JsonValue): string {
  const names = (key: string): readonly JsonValue[] => {
    const list = isJsonObject(data) ? data[key] : undefined;
    return Array.isArray(list) ? list : [];
  };
  return [
    ...names('pinned').map((id) => escapeControlCharacters(`pinned ${cellOf(id)}`)),
    ...names('removed').map((id) => escapeControlCharacters(`removed ${cellOf(id)}`)),
    ...objectsOf(data, 'quarantined').map(({ id, reason }) =>
      escapeControlCharacters(`not pinned ${cellOf(id)}: ${cellOf(reason)}`),
    ),
  ].join('\n');
}
